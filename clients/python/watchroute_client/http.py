"""Requests and what is answered: reads, writes, refusals."""

import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx2

from watchroute_client.change import Change
from watchroute_client.problem import UNAUTHENTICATED, WatchError
from watchroute_client.target import Target

WHOLE: Final = httpx2.Timeout(None, connect=10.0)
"""For answers that take as long as they take: the watchdog ends them."""
_ANSWER: Final = httpx2.Timeout(30.0, connect=10.0)


@dataclass(frozen=True, slots=True)
class Resource:
    """The state of a resource when it was read."""

    path: str
    data: Any
    version: int
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Written:
    """A write that Kafka has acknowledged. A read or watch that shows the `cursor` sees nothing older."""

    path: str
    version: int
    cursor: str


def open_http(url: str, tls: ssl.SSLContext | None) -> httpx2.AsyncClient:
    """The connections to one server, for as many streams and polls as there are watches."""
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=8, keepalive_expiry=30.0)
    return httpx2.AsyncClient(base_url=url, verify=tls if tls is not None else True, limits=limits, timeout=_ANSWER)


@contextmanager
def unreachable() -> Iterator[None]:
    """Let what the library raises about connections be a WatchError."""
    try:
        yield
    except httpx2.TransportError as error:
        raise WatchError("unreachable", str(error) or type(error).__name__) from error


@contextmanager
def understood() -> Iterator[None]:
    """Let an answer that isn't of the protocol, as something between may give it, be a WatchError."""
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise WatchError("unreachable", f"the answer is not of this protocol: {type(error).__name__}") from error


async def refusal(answer: httpx2.Response) -> WatchError:
    """What an answer that isn't 200 says."""
    return WatchError.of_answer(answer.status_code, answer.headers, await answer.aread())


class Requests:
    """`token` gives what to show; `refused` is told that it wasn't accepted, and gives another, or None."""

    def __init__(
        self,
        http: httpx2.AsyncClient,
        token: Callable[[], Awaitable[str | None]],
        renew: Callable[[], Awaitable[bool]],
    ) -> None:
        self._http = http
        self._token = token
        self._renew = renew

    async def get(self, path: str, at_least: str | None) -> Resource:
        """Read one resource; raises WatchError, `not_found` where there is none."""
        target = _resource(path)
        answer = await self._ask("GET", target.address("", {"at_least": at_least} if at_least else {}))
        with understood():
            version = int(answer.headers.get("ETag", "").strip('"').partition("-")[0])
            return Resource(target.label, answer.json(), version, answer.headers.get("Watch-Cursor"))

    async def put(self, path: str, data: Any, event_type: str | None) -> Written:
        """Replace the state of one resource."""
        headers = {"Content-Type": "application/json", **({"ce-type": event_type} if event_type else {})}
        answer = await self._write("PUT", _resource(path).path, headers, json.dumps(data).encode())
        return _acknowledged(answer)

    async def delete(self, path: str) -> Written:
        """Delete one resource."""
        return _acknowledged(await self._write("DELETE", _resource(path).path))

    async def post(self, collection: str, lines: Iterable[bytes], *, atomic: bool) -> list[Written | WatchError]:
        """Write many at once; what became of each. Raises WatchError where nothing was written."""
        path = Target(collection).address("", {"atomic": "true"} if atomic else {})
        answer = await self._write("POST", path, {"Content-Type": "application/x-ndjson"}, b"\n".join(lines))
        with understood():
            return [_result(each) for each in answer.json()["results"]]

    async def listing(self, path: str) -> AsyncIterator[Change]:
        """The state of a collection, or of the ids under a prefix, a resource at a time."""
        address = Target.parse(path).address("", {})
        with unreachable(), understood():
            async with self._opened(address) as answer:
                async for line in answer.aiter_lines():
                    frame = json.loads(line) if line else {}
                    if frame.get("event") == "problem":
                        raise WatchError.of_frame(frame)
                    if frame.get("event") == "put":
                        yield Change.of(frame)

    @asynccontextmanager
    async def _opened(self, address: str) -> AsyncIterator[httpx2.Response]:
        """The answer of a listing, which may be long."""
        for renewable in (True, False):
            headers = {"Accept": "application/x-ndjson", **await self._shown()}
            async with self._http.stream("GET", address, headers=headers) as answer:
                if answer.status_code == httpx2.codes.OK:
                    yield answer
                    return
                error = await refusal(answer)
            if not renewable or error.code not in UNAUTHENTICATED or not await self._renew():
                raise error

    async def _write(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> httpx2.Response:
        try:
            return await self._ask(method, path, headers, body)
        except WatchError as error:
            if error.code in {"", "unreachable"}:
                never_sent = isinstance(error.__cause__, httpx2.ConnectError | httpx2.ConnectTimeout)
                error.members.setdefault("outcome", "not_written" if never_sent else "unknown")
            raise

    async def _ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> httpx2.Response:
        try:
            return await self._ask_once(method, path, headers, body)
        except WatchError as error:
            if error.code not in UNAUTHENTICATED or not await self._renew():
                raise
        return await self._ask_once(method, path, headers, body)

    async def _ask_once(
        self, method: str, path: str, headers: Mapping[str, str] | None, body: bytes | None
    ) -> httpx2.Response:
        shown = {**(headers or {}), **await self._shown()}
        with unreachable():
            answer = await self._http.request(method, path, headers=shown, content=body)
        if answer.status_code != httpx2.codes.OK:
            raise await refusal(answer)
        return answer

    async def _shown(self) -> dict[str, str]:
        token = await self._token()
        return {"Authorization": f"Bearer {token}"} if token else {}


def _resource(path: str) -> Target:
    target = Target.parse(path)
    if target.id is None:
        raise WatchError("invalid", f"{path!r} is no resource")
    return target


def _acknowledged(answer: httpx2.Response) -> Written:
    with understood():
        return written(answer.json())


def written(answer: Mapping[str, Any]) -> Written:
    """What a body, or an `ack`, says."""
    return Written(answer["resource"], int(answer["version"]), answer["cursor"])


def _result(result: Mapping[str, Any]) -> Written | WatchError:
    problem = result.get("problem")
    if problem is None:
        return written(result)
    members = {"resource": result.get("resource"), **problem}
    return WatchError(str(problem.get("code")), str(problem.get("detail", "")), members=members)
