"""HTTP to writes: PUT, DELETE and POST as the protocol has them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.producer.allowance import Allowance
from services.producer.attributes import attributes_of_headers, checked_attributes
from services.producer.batch import check_id, prepare_batch
from services.producer.body import JSON, MSGPACK, NDJSON, Bodies, media_type
from services.producer.metrics import count
from services.producer.payload import problem_of_malformed
from services.producer.publisher import Publisher
from services.producer.settings import ProducerSettings
from services.producer.write import Ack, Write, prepare_delete, prepare_put
from shared.audit import Decision
from shared.catalog import Collection
from shared.credentials import Credentials
from shared.doorstep import admitted
from shared.gate import Gate
from shared.notice import headers_about, told_to_the_refused
from shared.principal import Principal
from shared.problem import Problem
from shared.resource import Watch
from shared.target import Target, parse_target
from shared.value import MalformedValue, json_text

_CONDITIONS: Final = ("if-match", "if-none-match", "if-unmodified-since")
_BOOLEANS: Final = {"true": True, "false": False}


class Ingest:
    """The ASGI app behind every address; it answers with a response or raises Problem, never with both."""

    def __init__(self, publisher: Publisher, settings: ProducerSettings, gate: Gate) -> None:
        self._publisher = publisher
        self._settings = settings
        self._gate = gate
        self._allowance = Allowance(settings)
        self._bodies = Bodies(settings.max_buffered_bytes, settings.body_timeout_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        watch = _addressed(parse_target(scope["raw_path"]))
        principal = await self._admit(request, watch)
        about = headers_about(self._publisher.catalog, [watch.collection])
        with told_to_the_refused(about):
            answer = await self._answer(request, watch, principal)
        response = Response(orjson.dumps(answer), headers={"Content-Type": JSON, "Cache-Control": "no-store", **about})
        await response(scope, receive, send)

    async def _answer(self, request: Request, watch: Watch, principal: Principal) -> Mapping[str, Any]:
        try:
            return await self._write(request, watch, principal)
        except Problem as problem:
            if (limit := problem.members.get("limit")) is not None:
                self._note("limited", request, principal, watch, limit)
            raise

    async def _write(self, request: Request, watch: Watch, principal: Principal) -> Mapping[str, Any]:
        collection = self._publisher.catalog.get(watch.collection)
        _check_method(request.method, watch)
        _check_conditions(request)
        if watch.id is None:
            return await self._post(request, collection, principal)
        _parameters(request, ())
        with _refusals_counted():
            self._allowance.spend_writes(principal, 1)
            prepared = await self._prepare(request, collection, watch.id, principal)
        self._check_token(request, watch, principal)
        return (await self._publisher.deliver(prepared)).document()

    async def _admit(self, request: Request, watch: Watch) -> Principal:
        """For whom it speaks; raises Problem when nothing that it may write is granted."""
        principal: Principal | None = None
        try:
            principal, _ = await self._gate.admit(Credentials(request.method, request.scope["scheme"], request.headers))
            if watch.id is not None or not principal.grants.some("publish", watch.collection):
                principal.require("publish", watch)
        except Problem as problem:
            self._note("refused", request, principal, watch, problem.code)
            raise
        admitted(request.scope)
        self._note("accepted", request, principal, watch)
        return principal

    def _check_token(self, request: Request, watch: Watch, principal: Principal) -> None:
        """Raise Problem when it has been revoked while the body arrived."""
        try:
            self._gate.check(principal)
        except Problem as problem:
            self._note("refused", request, principal, watch, problem.code)
            raise

    def _note(
        self, decision: Decision, request: Request, principal: Principal | None, watch: Watch, reason: str | None = None
    ) -> None:
        if self._gate.asks:
            asker = self._gate.asker(request.scope, request.headers)
            self._gate.audit.say(decision, principal=principal, asker=asker, resource=watch.label, reason=reason)

    async def _prepare(self, request: Request, collection: Collection, resource_id: str, principal: Principal) -> Write:
        check_id(resource_id, self._settings)
        attributes = attributes_of_headers(request.headers.items())
        if request.method == "DELETE":
            return prepare_delete(collection, resource_id, attributes)
        kind = media_type(request.headers, (JSON, MSGPACK))
        spend = partial(self._allowance.spend_bytes, principal)
        async with self._bodies.read(request, self._limit(collection, kind), spend) as body:
            text = self._text_of_msgpack(body) if kind == MSGPACK else body
            return prepare_put(collection, resource_id, text, attributes, max_depth=self._settings.max_depth)

    def _limit(self, collection: Collection, kind: str) -> int:
        # The other form of the same data may be the smaller one.
        same = kind == JSON and collection.settings.value == "json"
        limit = self._settings.max_body_bytes
        return min(limit, collection.settings.max_value_bytes) if same else limit

    def _text_of_msgpack(self, body: bytes) -> bytes:
        try:
            return json_text(body, "msgpack")
        except MalformedValue as malformed:
            raise problem_of_malformed(malformed, self._settings.max_depth) from None

    async def _post(self, request: Request, collection: Collection, principal: Principal) -> Mapping[str, Any]:
        atomic = _boolean(_parameters(request, ("atomic",)), "atomic")
        attributes = checked_attributes(attributes_of_headers(request.headers.items()))
        if "id" in attributes:
            raise Problem("invalid", "ce-id names one event, and a batch has many")
        kind = media_type(request.headers, (JSON, NDJSON, MSGPACK))
        spend = partial(self._allowance.spend_bytes, principal)
        async with self._bodies.read(request, self._settings.max_body_bytes, spend) as body:
            with _refusals_counted():
                writes = await prepare_batch(collection, body, kind, attributes, self._settings)
                self._allowance.spend_writes(principal, len(writes))
            self._check_token(request, Watch(collection.name), principal)
            for write in writes:
                # All or nothing: nobody has to find out which part of a batch was theirs to write.
                principal.require("publish", Watch(collection.name, write.id))
            if atomic:
                return {"results": [ack.document() for ack in await self._publisher.deliver_together(writes)]}
            return {"results": _results(writes, await self._publisher.deliver_many(writes))}


@contextmanager
def _refusals_counted() -> Iterator[None]:
    try:
        yield
    except Problem as problem:
        count([problem])
        raise


def _addressed(target: Target) -> Watch:
    if target.watch is None or target.verb:
        raise Problem("method_not_allowed", "this address is for reading", headers={"Allow": "GET, HEAD"})
    return target.watch


def _check_method(method: str, watch: Watch) -> None:
    allowed = ("POST",) if watch.id is None else ("DELETE", "PUT")
    if method not in allowed:
        detail = f"the producer service takes {' and '.join(allowed)} here; reads go to a push server"
        raise Problem("method_not_allowed", detail, headers={"Allow": ", ".join(allowed)})


def _check_conditions(request: Request) -> None:
    for name in _CONDITIONS:
        if name in request.headers:
            raise Problem("invalid", f"conditional writes are not supported: leave out {name}")
    if "content-range" in request.headers:
        raise Problem("invalid", "a write replaces the whole state: leave out content-range")


def _parameters(request: Request, known: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True):
        if name not in known:
            raise Problem("invalid", f"unknown parameter {name[:50]!r}")
        if name in found:
            raise Problem("invalid", f"the parameter {name!r} is given twice")
        found[name] = value
    return found


def _boolean(parameters: Mapping[str, str], name: str) -> bool:
    text = parameters.get(name, "false")
    if text not in _BOOLEANS:
        raise Problem("invalid", f"{name} is true or false")
    return _BOOLEANS[text]


def _results(writes: Sequence[Write], answers: Sequence[Ack | Problem]) -> list[dict[str, Any]]:
    results = [_result(write, answer) for write, answer in zip(writes, answers, strict=True)]
    first = answers[0] if answers else None
    if isinstance(first, Problem) and not any(isinstance(answer, Ack) for answer in answers):
        raise Problem(first.code, f"no item was acknowledged; the first: {first.detail}", results=results)
    return results


def _result(write: Write, answer: Ack | Problem) -> dict[str, Any]:
    if isinstance(answer, Ack):
        return dict(answer.document())
    return {"resource": write.resource, "problem": answer.document()}
