"""The two protocol classes through which an accepted watch leaves ASGI.

uvicorn parses HTTP, and the ASGI app decides; then the transport gets a protocol object of ours
(`transport.set_protocol`), and the ASGI task, its scope, headers and parser are let go: an idle connection costs a
tenth of the memory, and a delivery none of the layers. Both classes offer that as the ASGI extension `EXTENSION`, a
function of what the answer's head has to say (over HTTP the head itself, of a WebSocket more headers) and a
`Successor`.

`HandOffHttp` relies on private parts of a pinned minor version of uvicorn; `tests/integration/test_handoff.py` drives
each of them.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import Any, Final

from services.pushserver.successor import EXTENSION, GONE, ClientGone, Successor, give
from services.pushserver.upgrade import read_handshake, switching, wants_websocket
from shared.bounded_http import BoundedHttp
from shared.doorstep import EXTENSION as ADMITTED
from shared.doorstep import Doorstep
from shared.http1 import encoded, last_answer
from shared.problem import Problem
from shared.turnstile import Turnstile

log: Final = logging.getLogger("uvicorn.error")


class HandOffHttp(BoundedHttp):
    """HTTP/1.1, with the hand-off of a response whose body never ends.

    A crowd is read a few at a time: `server_state` has a `turnstile`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shared: Any = self.server_state
        self._turnstile: Turnstile = shared.turnstile
        self._unread = b""
        self._to_websocket = False

    def data_received(self, data: bytes) -> None:
        """Read, or in a crowd wait to be read."""
        self._on_data()
        if self._unread:
            self._unread += data
        elif self._turnstile.admits():
            self._read(data)
        else:
            self._unread = data
            self.flow.pause_reading()
            self._turnstile.wait(self._read_on)

    def _read_on(self) -> None:
        data, self._unread = self._unread, b""
        if self.parser is not None:
            self.flow.resume_reading()
            self._read(data)

    def on_message_begin(self) -> None:
        """Offer the extension with each request."""
        super().on_message_begin()
        self._to_websocket = False
        scope: Any = self.scope
        scope["extensions"][EXTENSION] = self.hand_off

    def on_headers_complete(self) -> None:
        """Begin to answer, unless it is a handshake: then the parser stops behind it."""
        self._to_websocket = self.parser.should_upgrade() and wants_websocket(self.headers)
        super().on_headers_complete()

    def _should_upgrade(self) -> bool:
        return self._to_websocket

    def hand_off(self, head: bytes, successor: Successor) -> None:
        """Give the connection away; to be called instead of the first ASGI `send`.

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
        self.admitted()
        cycle.transport = self.cycle.transport = self.transport = GONE
        self.connections.discard(self)
        self._unset_keepalive_if_required()
        self._let_go()
        give(transport, successor, head)

    def _upgrade(self, early: bytes) -> None:
        if self._ends_with_an_answer():
            return
        self.connections.discard(self)
        make: Any = self.ws_protocol_class
        handshake = make(self.config, self.server_state, self.transport)
        scope, url = self.scope, self.url
        self._let_go()
        handshake.begin(scope, url, early)

    def _let_go(self) -> None:
        """Break all cycles of references: what was needed until now is freed at once, and not at some collection."""
        self._doorstep.leave(self)
        self.pipeline.clear()
        self._answering = None
        self._unread = b""
        uvicorn: Any = self
        uvicorn.parser = uvicorn.scope = uvicorn.cycle = uvicorn.headers = None


class HandOffWebSocket(asyncio.Protocol):
    """A WebSocket handshake from its request until it is answered: with 101 and the hand-off, or with a refusal.

    To an ASGI app it is a `websocket` with the extensions `websocket.http.response` and EXTENSION; it can't be accepted
    in any other way.
    """

    def __init__(self, config: Any, server_state: Any, transport: asyncio.Transport) -> None:
        self._app = config.loaded_app
        self._connections = server_state.connections
        self._tasks = server_state.tasks
        self._doorstep: Doorstep = server_state.doorstep
        self.transport = transport
        self._accept = b""
        self._early = b""
        self._answered = False
        self._told = False
        self._left: asyncio.Event | None = None
        self._refusal: tuple[int, Sequence[tuple[bytes, bytes]], bytes] | None = None

    def begin(self, scope: Any, url: bytes, early: bytes) -> None:
        """Answer a request; `scope` is what HTTP knows of it, `early` what came behind it."""
        self._connections.add(self)
        self.transport.set_protocol(self)
        try:
            self._accept = read_handshake(scope, url)
        except Problem as problem:
            self._refuse(problem)
            return
        scope["extensions"] = {"websocket.http.response": {}, EXTENSION: self.hand_off, ADMITTED: self.admitted}
        if early:
            self.data_received(early)
        task = asyncio.get_running_loop().create_task(self._run(scope))
        task.add_done_callback(self._tasks.discard)
        self._tasks.add(task)

    # The transport's calls

    def data_received(self, data: bytes) -> None:
        """Keep what a hasty client says before it is answered: its WebSocket begins with that."""
        if not self._answered:
            self._early += data
            self.transport.pause_reading()

    def connection_lost(self, _exc: Exception | None) -> None:
        """The client left."""
        self._connections.discard(self)
        self.admitted()
        if self._left is not None:
            self._left.set()

    # The server's call

    def shutdown(self) -> None:
        """Refuse: this server leaves."""
        self._refuse(Problem("going_away", "this server is leaving; another one has everything"))

    # The app's calls

    async def receive(self) -> dict[str, Any]:
        """Tell the handshake, then that the client left or was answered."""
        if not self._told:
            self._told = True
            return {"type": "websocket.connect"}
        if not self.transport.is_closing():
            self._left = self._left or asyncio.Event()
            await self._left.wait()
        return {"type": "websocket.disconnect", "code": 1006}

    async def send(self, message: Any) -> None:
        """Refuse; nothing happens once the client is gone."""
        kind = message["type"]
        if kind == "websocket.close":
            self._refuse(Problem("forbidden", "there is no WebSocket here"))
        elif kind == "websocket.http.response.start":
            self._refusal = (message["status"], message.get("headers", ()), b"")
        elif kind == "websocket.http.response.body" and self._refusal is not None:
            status, headers, body = self._refusal
            self._refusal = (status, headers, body + message.get("body", b""))
            if not message.get("more_body", False):
                self._answer(*self._refusal)
        else:
            raise RuntimeError(f"{kind} has no place in a handshake that is handed off or refused")

    def hand_off(self, headers: Iterable[tuple[str, str]], successor: Successor) -> None:
        """Answer 101 with more headers, and give the connection away; to be called instead of `websocket.accept`.

        Raises ClientGone.
        """
        transport = self.transport
        if transport.is_closing():
            self._answered = True
            raise ClientGone(str(ClientGone.__doc__))
        if self._answered:
            raise RuntimeError("a handshake that is answered can't be handed off")
        self._answered = True
        self._connections.discard(self)
        self.admitted()
        self.transport = GONE
        give(transport, successor, switching(self._accept, headers), self._early)

    def admitted(self) -> None:
        """The handshake was admitted: this is no stranger any more."""
        self._doorstep.admit(self.transport)

    async def _run(self, scope: Any) -> None:
        try:
            await self._app(scope, self.receive, self.send)
        except Exception:
            log.exception("Exception in ASGI application")
        finally:
            # Nobody is left without an answer, whatever became of the app.
            if not self._answered:
                self._refuse(Problem("internal", "the server's log has the details"))

    def _refuse(self, problem: Problem) -> None:
        self._answer(problem.status, encoded(problem), problem.body())

    def _answer(self, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> None:
        if not self._answered and not self.transport.is_closing():
            self.transport.write(last_answer(status, headers, body))
            self.transport.close()
        self._answered = True
