"""The WebSocket transports: operations or one watch by URL, JSON or msgpack."""

import asyncio
import json
import socket
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

import msgpack
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from tests.support.client_ask import Ask
from tests.support.client_watcher import Gate, Refused, Watcher, small_socket
from tests.support.exchange import Exchange
from tests.support.recording import End, Frame
from tests.support.witness import witnessed_exchange, witnessed_frame, witnessed_operation


def _connected(url: str) -> socket.socket:
    parts = urlsplit(url)
    assert parts.hostname
    sock = small_socket()
    sock.connect((parts.hostname, parts.port or 80))
    sock.setblocking(False)  # noqa: FBT003 -- the only way to say it
    return sock


class WebSocketWatcher(Watcher):
    """Several watches on `/v1/watch/ws`, asked for by `subscribe` operations."""

    transport: ClassVar[str] = "websocket"
    subprotocol: ClassVar[str] = "watch.v1.json"
    patient: ClassVar[bool] = True

    def __init__(self, url: str, ask: Ask) -> None:
        super().__init__(url, ask)
        self.gate = Gate()
        self._connection: ClientConnection | None = None

    @property
    def connection(self) -> ClientConnection:
        """The connection under it."""
        assert self._connection is not None
        return self._connection

    async def send(self, operation: dict[str, Any]) -> None:
        """Send a client operation as this subprotocol writes it."""
        witnessed_operation(self, operation)
        await self.connection.send(self._encode(operation))

    async def ask_back(self, operation: dict[str, Any]) -> Frame:
        """Send an operation with a `ref`, and return the frame that answers it."""
        await self.send(operation)
        return await self.wait_for(
            lambda f: f["event"] in {"ack", "pong", "problem"} and f.get("ref") == operation["ref"]
        )

    def _target(self) -> str:
        shared = [(name, value) for name, value in (("format", self.ask.format),) if value]
        return "/v1/watch/ws" + "".join(f"?{name}={value}" for name, value in shared)

    async def _connect(self) -> None:
        sock = _connected(self.url) if not self.patient else None
        try:
            self._connection = await connect(
                "ws" + self.url.removeprefix("http") + self._target(),
                subprotocols=[Subprotocol(self.subprotocol)],
                compression=None,
                max_size=None,
                max_queue=16 if sock else 1024,
                ping_interval=None,
                close_timeout=2,
                proxy=None,
                sock=sock,
            )
        except InvalidStatus as refusal:
            answer = refusal.response
            told = dict(answer.headers.raw_items())
            self._witness(answer.status_code, told, bytes(answer.body or b""))
            raise Refused(answer.status_code, dict(answer.headers.raw_items()), bytes(answer.body or b"")) from None
        assert self.connection.subprotocol == self.subprotocol
        response = self.connection.response
        assert response is not None
        self._witness(response.status_code, dict(response.headers.raw_items()), b"")
        await self._request()

    def _witness(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        asked = {"Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Protocol": self.subprotocol}
        witnessed_exchange(Exchange("GET", self._target(), asked, None, status, headers, body))

    async def _request(self) -> None:
        for operation in self.ask.operations():
            await self.send(operation)

    async def _receive(self) -> End:
        try:
            while True:
                await self.gate.passed()
                self._record(self._decode(await self.connection.recv()))
        except ConnectionClosed as closed:
            received = closed.rcvd
            return End(received.code, received.reason) if received else End(1006, "")

    def _record(self, frame: Frame) -> None:
        witnessed_frame(self, frame)
        frame.setdefault("event", "cloudevent")
        usable = frame["event"] in {"synced", "bookmark", "goaway"}
        self.recording.add(frame, frame.get("cursor") if usable else None)

    def _encode(self, operation: dict[str, Any]) -> str | bytes:
        return json.dumps(operation)

    def _decode(self, message: str | bytes) -> Frame:
        assert isinstance(message, str), "the JSON subprotocol is text"
        frame: Frame = json.loads(message)
        return frame

    async def _disconnect(self) -> None:
        self.gate.open()
        async with asyncio.timeout(5):
            await self.connection.close()

    def _abort(self) -> None:
        self.connection.transport.abort()


class MsgpackWatcher(WebSocketWatcher):
    """The same in msgpack."""

    transport: ClassVar[str] = "websocket_msgpack"
    subprotocol: ClassVar[str] = "watch.v1.msgpack"

    def _encode(self, operation: dict[str, Any]) -> str | bytes:
        packed: bytes = msgpack.packb(operation)
        return packed

    def _decode(self, message: str | bytes) -> Frame:
        assert isinstance(message, bytes), "the msgpack subprotocol is binary"
        frame: Frame = msgpack.unpackb(message)
        return frame


class UrlWatcher(WebSocketWatcher):
    """What the URL names, asked for by the handshake alone."""

    transport: ClassVar[str] = "websocket_url"

    def _target(self) -> str:
        return self.ask.target("" if len(self.ask.watches) == 1 else "/ws")

    async def _request(self) -> None:
        """The URL has said it all."""


class SlowWebSocketWatcher(WebSocketWatcher):
    """Like WebSocketWatcher, with so little buffer that a shut gate is felt at once."""

    transport: ClassVar[str] = "websocket_slow"
    patient: ClassVar[bool] = False
