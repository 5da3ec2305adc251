"""The ASGI app for everything that reads: finds out what was asked, and hands it to its transport."""

from collections.abc import Awaitable, Callable

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from services.pushserver.successor import ClientGone
from services.pushserver.transports import description, longpoll, pages, snapshot, sse, ticketing, websocket
from services.pushserver.transports.reception import Reception
from services.pushserver.transports.request import headers_of, read_request
from shared.answers import problem_response
from shared.cors import is_preflight
from shared.notice import headers_about, telling, told_to_the_refused
from shared.problem import Problem
from shared.telemetry import logger

log = logger("http")
_METHODS = ("GET", "HEAD")
_HTTP = {
    "get": snapshot.get,
    "list": snapshot.listing,
    "stream": sse.stream,
    "watch/stream": sse.stream,
    "poll": longpoll.poll,
    "watch/poll": longpoll.poll,
}


class ReadApp:
    """GET, long poll, event streams and WebSockets; every refusal is a problem document, of handshakes too."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        send = self._reception.gate.cors.sending(scope, send)
        try:
            await self._answer(scope, receive, send)
        except Problem as problem:
            await self._refuse(problem, scope, receive, send)
        except (ClientGone, ClientDisconnect):
            log.info("client left before it was answered", path=scope.get("path"))
        except Exception:
            log.exception("request failed", path=scope.get("path"))
            await self._refuse(Problem("internal", "the server's log has the details"), scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (other := _beside_reading(scope)) is not None:
            await other(self._reception, scope, receive, send)
            return
        asked = read_request(scope, token_in_query=self._reception.gate.settings.token_in_query)
        asked = await self._reception.admit(asked, scope)
        about = headers_about(self._reception.hub.catalog, (request.watch.collection for request in asked.watches))
        with told_to_the_refused(about), self._reception.limits_noted(asked):
            if scope["type"] == "websocket":
                await websocket.accept(self._reception, asked._replace(told=about), scope)
            else:
                send = telling(send, about)
                await _HTTP[asked.kind](self._reception, asked._replace(told=about), scope, receive, send)

    async def _refuse(self, problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
        self._reception.counters.refuse(problem)
        if scope["type"] == "http":
            await problem_response(problem, head=scope["method"] == "HEAD")(scope, receive, send)
            return
        headers = [(name.lower().encode(), text.encode()) for name, text in problem.response_headers().items()]
        await send({"type": "websocket.http.response.start", "status": problem.status, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": problem.body()})


def _beside_reading(scope: Scope) -> Callable[[Reception, Scope, Receive, Send], Awaitable[None]] | None:
    """Who answers what is no request to read, or None."""
    if pages.is_page(scope["raw_path"]):
        return pages.show
    if scope["raw_path"] == ticketing.PATH and scope["method"] != "OPTIONS":
        return ticketing.issue
    if scope["method"] not in _METHODS:
        return _preflight
    return description.describe if scope["raw_path"] == description.PATH else None


async def _preflight(reception: Reception, scope: Scope, receive: Receive, send: Send) -> None:
    headers = headers_of(scope)
    if not is_preflight(scope["method"], headers):
        raise Problem("method_not_allowed", "reads are GET and HEAD", headers={"Allow": "GET, HEAD"})
    await reception.gate.cors.preflight(headers)(scope, receive, send)
