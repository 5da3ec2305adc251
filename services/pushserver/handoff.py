"""The two uvicorn protocol classes through which an accepted watch leaves ASGI.

Starlette and uvicorn do the handshake; then the transport gets a protocol object of ours (`transport.set_protocol`),
and the ASGI task, its scope, headers and parser are let go: an idle connection costs a tenth of the memory, and a
delivery none of the layers. Both classes offer that as the ASGI extension `EXTENSION`, a function of the new protocol
object and (over HTTP) the response head.

They subclass private classes of a pinned minor version of uvicorn; `tests/integration/test_handoff.py` drives each
thing that is relied on.
"""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final, Protocol

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.datastructures import Headers
from websockets.exceptions import InvalidHeader, InvalidHeaderValue, InvalidUpgrade
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol

from shared.errors import WatchrouteError
from shared.problem import Problem

EXTENSION: Final = "watchroute.handoff"
_BAD_REQUEST: Final = b"HTTP/1.1 400 Bad Request\r\n"


class ClientGone(WatchrouteError):
    """The client left before its connection could be handed off: nobody is there to be answered."""


class Successor(Protocol):
    """A protocol object that takes a connection over."""

    def take_over(self, transport: asyncio.Transport) -> None:
        """Called once, after the response head was written: the transport is its own from now on."""


class HandOffHttp(HttpToolsProtocol):
    """HTTP/1.1, with the hand-off of a response whose body never ends."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._answering: Any = None

    def on_message_begin(self) -> None:
        """Offer the extension with each request."""
        super().on_message_begin()
        scope: Any = self.scope
        scope["extensions"] = {EXTENSION: self.hand_off}

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        # Not always `self.cycle`: a client may send the next request before this one is answered.
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def hand_off(self, head: bytes, successor: Successor) -> None:
        """Write the head, and give the connection away; to be called instead of the first ASGI `send`.

        Raises ClientGone.
        """
        transport, cycle = self.transport, self._answering
        if cycle.response_started:
            raise RuntimeError("a response that has begun can't be handed off")
        if cycle.disconnected or transport.is_closing():
            cycle.disconnected = True
            raise ClientGone(str(ClientGone.__doc__))
        # uvicorn is told that all is done, so that it neither answers nor closes when the ASGI task returns.
        cycle.response_started = cycle.response_complete = True
        cycle.transport = self.cycle.transport = self.transport = _GONE
        self.connections.discard(self)
        self._unset_keepalive_if_required()
        self._let_go()
        _install(transport, successor)
        transport.write(head)
        successor.take_over(transport)

    def handle_websocket_upgrade(self) -> None:
        """Give the handshake on as it was parsed: no second parser, and none of its limits."""
        self.connections.discard(self)
        protocol = HandOffWebSocket(config=self.config, server_state=self.server_state, app_state=self.app_state)
        protocol.connection_made(self.transport)
        self.transport.set_protocol(protocol)
        headers = Headers()
        for name, value in self.scope["headers"]:
            headers[name.decode("latin-1")] = value.decode("latin-1")
        method, version = self.scope["method"], self.scope["http_version"]
        self._let_go()
        protocol.handle_connect(Request(self.url.decode("ascii"), headers, method, f"HTTP/{version}"))

    def _let_go(self) -> None:
        """Break all cycles of references: what was needed until now is freed at once, and not at some collection."""
        self.pipeline.clear()
        self._answering = None
        uvicorn: Any = self
        uvicorn.parser = uvicorn.scope = uvicorn.cycle = None

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP with a problem document."""
        self.transport.write(_problem_bytes(Problem("invalid", msg)))
        self.transport.close()


class HandOffWebSocket(WebSocketsSansIOProtocol):
    """The WebSocket handshake, with the hand-off of what follows it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _let_go_of_parser(self.conn)
        self.conn: ServerProtocol = _Handshake(max_size=self.config.ws_max_size)

    async def run_asgi(self) -> None:
        """Offer the extension."""
        scope: Any = self.scope
        scope["extensions"][EXTENSION] = self.hand_off
        await super().run_asgi()

    async def send(self, message: Any) -> None:
        """Pass on; a refusal that is told completes the handshake, which uvicorn would take for unfinished."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True

    def hand_off(self, headers: Sequence[tuple[str, str]], successor: Successor) -> None:
        """Answer 101 with more headers, and give the connection away; to be called instead of `websocket.accept`.

        Raises ClientGone.
        """
        transport = self.transport
        gone = self.disconnected or transport.is_closing()
        if self.handshake_complete and not gone:
            raise RuntimeError("a handshake that is answered can't be handed off")
        self.handshake_complete = True
        if gone:
            raise ClientGone(str(ClientGone.__doc__))
        self.response.headers.update(headers)
        self.conn.send_response(self.response)
        self.connections.discard(self)
        head = b"".join(self.conn.data_to_send())
        # uvicorn closes its transport when the ASGI task returns.
        self.transport = _GONE
        self._let_go()
        _install(transport, successor)
        transport.write(head)
        successor.take_over(transport)

    def _let_go(self) -> None:
        """Break all cycles of references, as above."""
        _let_go_of_parser(self.conn)
        uvicorn: Any = self
        uvicorn.conn = uvicorn.scope = None


class _Handshake(ServerProtocol):
    """Refuses with problem documents, and names the version it speaks (RFC 6455, section 4.4)."""

    def reject(self, status: HTTPStatus | int, text: str) -> Response:
        """Make the answer to a bad handshake."""
        error = getattr(self, "handshake_exc", None)
        wrong_version = isinstance(error, InvalidHeader | InvalidHeaderValue) and "Version" in str(error)
        problem = Problem("invalid", text.strip())
        if wrong_version or isinstance(error, InvalidUpgrade):
            problem = Problem("upgrade_required", text.partition("\n")[0])
        elif status == HTTPStatus.METHOD_NOT_ALLOWED:
            problem = Problem("method_not_allowed", text.strip())
        response = super().reject(problem.status, problem.body().decode())
        for name, value in problem.response_headers().items():
            response.headers.pop(name, None)
            response.headers[name] = value
        if problem.code == "upgrade_required":
            response.headers["Sec-WebSocket-Version"] = "13"
        return response


class _Gone(asyncio.Transport):
    """What uvicorn holds after the hand-off: closing it does nothing."""

    def is_closing(self) -> bool:
        return True

    def close(self) -> None:
        """Nothing: the connection belongs to somebody else."""

    def abort(self) -> None:
        """Nothing, for the same reason."""

    def write(self, data: Any) -> None:
        """Nothing, for the same reason."""

    def resume_reading(self) -> None:
        """Nothing, for the same reason."""

    def pause_reading(self) -> None:
        """Nothing, for the same reason."""


_GONE: Final = _Gone()


def _let_go_of_parser(conn: Any) -> None:
    """Break the cycle of a protocol of `websockets`: its parser is a generator that refers to it."""
    conn.parser = None


def _install(transport: asyncio.Transport, successor: Any) -> None:
    transport.set_protocol(successor)
    transport.resume_reading()


def _problem_bytes(problem: Problem) -> bytes:
    body = problem.body()
    headers = {**problem.response_headers(), "Content-Length": str(len(body)), "Connection": "close"}
    lines = b"".join(f"{name}: {value}\r\n".encode() for name, value in headers.items())
    return _BAD_REQUEST + lines + b"\r\n" + body
