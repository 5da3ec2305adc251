"""An ASGI app that hands connections off, and what uvicorn keeps of them."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from services.pushserver.handoff import HandOffHttp, HandOffWebSocket
from services.pushserver.successor import EXTENSION, ClientGone
from shared.serving import Listener
from tests.support.server import HOST, RawClient, eventually

HEAD: Final = b"HTTP/1.1 200 OK\r\nX-Ours: yes\r\n\r\n"
STREAM: Final = b"GET /stream HTTP/1.1\r\nHost: here\r\n\r\n"
PLAIN: Final = b"GET /plain HTTP/1.1\r\nHost: here\r\n\r\n"
UPGRADE: Final = (
    b"GET /ws HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


Runner = Callable[[Callable[[], Coroutine[Any, Any, None]]], None]
_protocols: list[weakref.ref[Any]] = []
_clients: list[RawClient] = []


class TrackedHttp(HandOffHttp):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _protocols.append(weakref.ref(self))


class TrackedWebSocket(HandOffWebSocket):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _protocols.append(weakref.ref(self))


class Successor(asyncio.Protocol):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self.received = b""
        self.told: list[str] = []

    def take_over(self, transport: asyncio.Transport, head: bytes) -> None:
        self.transport = transport
        transport.write(head)
        self.told.append("take_over")

    def data_received(self, data: bytes) -> None:
        self.received += data

    def pause_writing(self) -> None:
        self.told.append("pause_writing")

    def resume_writing(self) -> None:
        self.told.append("resume_writing")

    def connection_lost(self, _exc: Exception | None) -> None:
        self.told.append("connection_lost")


class App:
    """Hands connections off once its gate is open.

    All but `/plain`, which is answered; `/refused`, `/closed` and `/forgotten`, which are in three ways not accepted;
    and `/listening`, which listens to what its client does instead.
    """

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked: list[str] = []
        self.heard: list[dict[str, Any]] = []
        self.successors: list[Successor] = []
        self.gone = 0
        self.fails = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.append(scope["path"])
        if scope["path"] == "/plain":
            await PlainTextResponse("plain")(scope, receive, send)
            return
        await self.gate.wait()
        if scope["path"] in _OTHERWISE:
            await _OTHERWISE[scope["path"]](self, receive, send)
            return
        successor = Successor()
        first: bytes | Sequence[tuple[str, str]] = HEAD if scope["type"] == "http" else [("X-Ours", "yes")]
        try:
            scope["extensions"][EXTENSION](first, successor)
        except ClientGone:
            self.gone += 1
        else:
            self.successors.append(successor)
        if self.fails:
            raise ZeroDivisionError

    async def successor(self) -> Successor:
        await eventually(lambda: self.successors, "a connection is handed off")
        return self.successors[-1]


async def _refuse(_: App, receive: Receive, send: Send) -> None:
    await send({"type": "websocket.http.response.start", "status": 403, "headers": [(b"x-ours", b"yes")]})
    await send({"type": "websocket.http.response.body", "body": b"no ", "more_body": True})
    await send({"type": "websocket.http.response.body", "body": b"thanks"})


async def _close(_: App, receive: Receive, send: Send) -> None:
    await send({"type": "websocket.close"})


async def _forget(app: App, receive: Receive, send: Send) -> None:
    """No answer, or what is none here."""
    if app.fails:
        await send({"type": "websocket.accept"})


async def _listen(app: App, receive: Receive, send: Send) -> None:
    while not app.heard or app.heard[-1]["type"] != "websocket.disconnect":
        app.heard.append(dict(await receive()))


_OTHERWISE: Final = {"/refused": _refuse, "/closed": _close, "/forgotten": _forget, "/listening": _listen}


def runner_of(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> Runner:
    def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
        _protocols.clear()
        _clients.clear()
        gc.disable()
        try:
            with asyncio.Runner(loop_factory=new_loop) as runner:
                runner.run(ended(scenario()))
        finally:
            gc.enable()

    return run


async def ended(scenario: Coroutine[Any, Any, None]) -> None:
    """Run it to its end; one that fails leaves connections open, and uvloop closes no loop before they are gone."""
    try:
        async with asyncio.timeout(20):
            await scenario
    finally:
        for client in _clients:
            client.writer.transport.abort()


@asynccontextmanager
async def listening(app: App) -> AsyncIterator[Listener]:
    """The app behind the push server's own listener, but for classes that can be tracked."""
    listener = Listener(app, host=HOST, port=0, http=TrackedHttp, ws=TrackedWebSocket, timeout_keep_alive=30)
    await listener.start()
    try:
        yield listener
    finally:
        await listener.stop(1)


async def connect(listener: Listener, *pieces: bytes) -> RawClient:
    client = await RawClient.connect(listener.port)
    client.send(*pieces)
    _clients.append(client)
    return client


async def all_let_go() -> None:
    """By counting references: the server collects cycles so rarely that what lies in one costs it memory."""
    await eventually(lambda: not any(reference() for reference in _protocols), "no protocol of uvicorn is left")
