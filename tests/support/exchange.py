"""A request and its answer, judged by docs/openapi.yaml."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

import msgpack

from tests.support.contract import document, frame_mistakes, judge_of, resolved, template_of

NDJSON: Final = "application/x-ndjson"
MSGPACK: Final = "application/msgpack"
SSE: Final = "text/event-stream"
_NOT_ALLOWED: Final = 405
_OF_HTTP: Final = {
    *("accept", "accept-encoding", "authorization", "cache-control", "connection", "content-length", "content-type"),
    *("cookie", "date", "host", "keep-alive", "origin", "range", "referer", "server", "strict-transport-security"),
    *("transfer-encoding", "upgrade", "user-agent", "vary", "x-content-type-options", "x-forwarded-for"),
    *("sec-websocket-extensions", "sec-websocket-key", "x-request-id"),
}
"""Headers that need no description of ours."""


class Exchange(NamedTuple):
    """One request and its answer; header names in any case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | None
    status: int
    answer_headers: Mapping[str, str]
    answer: bytes

    @property
    def template(self) -> str | None:
        """The path of the document; a bare address that is asked for as a stream or WebSocket counts as those."""
        template = template_of(self.target.partition("?")[0])
        headers = {name.lower(): text.lower() for name, text in self.headers.items()}
        if template is not None and self.method in {"GET", "HEAD"} and template.endswith("}"):
            if headers.get("upgrade") == "websocket":
                return template + "/ws"
            if SSE in headers.get("accept", ""):
                return template + "/stream"
        return template


def exchange_mistakes(exchange: Exchange) -> list[str]:
    """What of an exchange isn't in the document; of a request only if it was done."""
    if not exchange.target.startswith("/v1/") or exchange.method == "OPTIONS":
        return []
    template = exchange.template
    operation = _operation(exchange, template)
    if operation is None or exchange.status == _NOT_ALLOWED:
        # A write that is sent to a push server, past the front door, too.
        return list(_of_unknown(exchange))
    found = [*_of_answer(exchange, operation)]
    if exchange.status < 400:
        found += _of_request(exchange, operation, template or "")
    return [f"{exchange.method} {exchange.target[:200]} -> {exchange.status}: {mistake}" for mistake in found]


def _operation(exchange: Exchange, template: str | None) -> Any:
    if template is None:
        return None
    method = "get" if exchange.method == "HEAD" else exchange.method.lower()
    return document("openapi")["paths"][template].get(method)


def _of_unknown(exchange: Exchange) -> Iterator[str]:
    if exchange.status < 400:
        yield f"{exchange.method} {exchange.target[:200]} -> {exchange.status}: no document knows it"
    elif exchange.status == _NOT_ALLOWED:
        yield from _of_response(exchange, resolved({"$ref": "#/components/responses/MethodNotAllowed"}))


def _of_answer(exchange: Exchange, operation: Any) -> Iterator[str]:
    response = operation["responses"].get(str(exchange.status))
    if response is None:
        yield "this status isn't described"
        return
    yield from _of_response(exchange, resolved(response))


def _of_response(exchange: Exchange, response: Any) -> Iterator[str]:
    described = {name.lower(): resolved(header) for name, header in response.get("headers", {}).items()}
    given = {name.lower(): text for name, text in exchange.answer_headers.items()}
    for name, header in described.items():
        if name in given:
            yield from (
                f"{name}: {line}" for line in judge_of("openapi", header["schema"])(_of_text(given[name], header))
            )
        elif header.get("required"):
            yield f"the header {name} is missing"
    for name in given.keys() - described.keys() - _OF_HTTP:
        if not name.startswith("access-control-") and not (name == "accept" and exchange.status == 415):
            yield f"the header {name} isn't described"
    if exchange.method != "HEAD" and exchange.status not in {101, 204, 304}:
        yield from _of_body(given.get("content-type", ""), exchange.answer, response.get("content", {}))


def _of_body(content_type: str, body: bytes, content: Mapping[str, Any]) -> Iterator[str]:
    kind = content_type.partition(";")[0].strip()
    if kind not in content:
        yield f"a body of {kind!r} isn't described"
    elif kind == NDJSON:
        for line in body.splitlines():
            yield from frame_mistakes(json.loads(line))
    elif kind == MSGPACK and "application/json" in content:
        yield from judge_of("openapi", content["application/json"]["schema"])(msgpack.unpackb(body))
    elif kind.endswith("json"):
        yield from judge_of("openapi", content[kind]["schema"])(json.loads(body))


def _of_request(exchange: Exchange, operation: Any, template: str) -> Iterator[str]:
    parameters = [*document("openapi")["paths"][template].get("parameters", ()), *operation.get("parameters", ())]
    described = {(each["in"], each["name"].lower()): each for each in map(resolved, parameters)}
    given = [*_query(exchange), *(("header", name.lower(), text) for name, text in exchange.headers.items())]
    for place, name, text in given:
        parameter = described.get((place, name))
        if parameter is not None:
            yield from (
                f"{name}: {line}" for line in judge_of("openapi", parameter["schema"])(_of_text(text, parameter))
            )
        elif not (place == "header" and (name in _OF_HTTP or name.startswith("ce-"))):
            yield f"the {place} parameter {name!r} isn't described"
    if exchange.body is not None and "requestBody" in operation:
        yield from _of_sent(exchange, resolved(operation["requestBody"])["content"])


def _of_sent(exchange: Exchange, content: Mapping[str, Any]) -> Iterator[str]:
    headers = {name.lower(): text for name, text in exchange.headers.items()}
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    body = exchange.body or b""
    if kind not in content:
        yield f"a request body of {kind!r} isn't described"
    elif kind == NDJSON:
        items = [json.loads(line) for line in body.splitlines() if line.strip()]
        yield from judge_of("openapi", content["application/json"]["schema"])(items)
    else:
        value = msgpack.unpackb(body) if kind == MSGPACK else json.loads(body)
        yield from judge_of("openapi", content["application/json"]["schema"])(value)


def _query(exchange: Exchange) -> Iterable[tuple[str, str, Any]]:
    pairs = parse_qsl(exchange.target.partition("?")[2], keep_blank_values=True)
    several = [text for name, text in pairs if name == "resource"]
    single = [("query", name.lower(), text) for name, text in pairs if name not in {"resource", "ticket", "token"}]
    return [*single, *([("query", "resource", several)] if several else [])]


def _of_text(text: Any, described: Mapping[str, Any]) -> Any:
    """The value that a text is, by the type of its schema."""
    kind = resolved(described["schema"]).get("type")
    try:
        if kind == "boolean":
            return {"true": True, "false": False}.get(text, text)
        return int(text) if kind == "integer" else float(text) if kind == "number" else text
    except ValueError:
        return text
