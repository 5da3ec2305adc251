"""A client that reads its socket only when it is told to, and as slowly as it is told."""

import asyncio
import json
import re
import socket
from collections.abc import Callable, Iterator
from typing import Final, Protocol, Self, TypeVar
from urllib.parse import urlsplit

from load.bench.crowd.request import get, upgrade
from tests.support.client_ask import Ask
from tests.support.client_sse import EventStreamParser
from tests.support.recording import End, Frame, Recording
from tests.support.witness import witnessed_frame

T = TypeVar("T")
_READ_BYTES: Final = 64 * 1024
_TRICKLES_PER_S: Final = 4
_CLOSE: Final = 8
_PING: Final = 9
_PONG: Final = b"\x8a\x80\0\0\0\0"
"""Masked with zeros, and empty."""
_WITH_CURSOR: Final = frozenset({"synced", "bookmark", "goaway"})


class Wire(Protocol):
    """Bytes in; frames, cursors and the end into a recording."""

    pings: int

    def feed(self, data: bytes, recording: Recording) -> None:
        """Take what was read."""


class WebSocketWire:
    """JSON frames in unmasked messages (RFC 6455)."""

    def __init__(self) -> None:
        self.pings = 0
        self._rest = b""

    def feed(self, data: bytes, recording: Recording) -> None:
        for opcode, payload in self._messages(data):
            if opcode == _CLOSE:
                recording.finish(End(int.from_bytes(payload[:2]), payload[2:].decode()))
            elif opcode == _PING:
                self.pings += 1
            else:
                frame: Frame = json.loads(payload)
                witnessed_frame(self, frame)
                recording.add(frame, frame["cursor"] if frame["event"] in _WITH_CURSOR else None)

    def _messages(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        data, at = self._rest + data, 0
        while len(data) >= at + 2:
            size, begin = data[at + 1], at + 2
            if size >= 126:
                width = 2 if size == 126 else 8
                size, begin = int.from_bytes(data[begin : begin + width]), begin + width
            if len(data) < begin + size:
                break
            yield data[at] & 0x0F, data[begin : begin + size]
            at = begin + size
        self._rest = data[at:]


class EventStreamWire:
    """An event stream in HTTP chunks."""

    def __init__(self) -> None:
        self.pings = 0
        self._rest = b""
        self._parser = EventStreamParser()

    def feed(self, data: bytes, recording: Recording) -> None:
        for chunk in self._chunks(data):
            if not chunk:
                recording.finish(End(0, "the server ended the stream"))
            for event in self._parser.feed(chunk):
                if event.data is not None:
                    witnessed_frame(self, json.loads(event.data))
                    recording.add(json.loads(event.data), event.id)
                elif event.id:
                    recording.mark(event.id)

    def _chunks(self, data: bytes) -> Iterator[bytes]:
        data, at = self._rest + data, 0
        while (end := data.find(b"\r\n", at)) >= 0:
            size, begin = int(data[at:end], 16), end + 2
            if len(data) < begin + size + 2:
                break
            yield data[begin : begin + size]
            at = begin + size + 2
        self._rest = data[at:]


class SocketWatcher:
    """`wire` is `ws` or `sse`. What came is in `recording`; a connection that broke has ended with code 1006 there."""

    def __init__(self, connected: socket.socket, wire: str) -> None:
        self.recording = Recording()
        self.wire: Wire = WebSocketWire() if wire == "ws" else EventStreamWire()
        self._socket = connected
        self._head: bytes | None = b""

    @classmethod
    async def open(cls, connected: socket.socket, wire: str, ask: Ask) -> Self:
        """Ask for a watch on a connection that doesn't block, and read until it is synced."""
        watcher = cls(connected, wire)
        await watcher.watch(ask)
        return watcher

    async def watch(self, ask: Ask) -> None:
        """Ask for a watch, and read until it is synced."""
        sse = isinstance(self.wire, EventStreamWire)
        request = get(ask.target("/stream")) if sse else upgrade(ask.target("/ws"))
        await asyncio.get_running_loop().sock_sendall(self._socket, request)
        await self.read(lambda seen: any(frame["event"] == "synced" for frame in seen.frames))

    async def read(self, wanted: Callable[[Recording], T], within_s: float = 10) -> T:
        """Read as fast as it goes until there is what is wanted; raises TimeoutError, also at the end of the watch."""
        async with asyncio.timeout(within_s):
            while not (answer := wanted(self.recording)):
                if self.recording.end is not None:
                    raise TimeoutError(f"it ended before that: {self.recording.end}")
                await self._read(_READ_BYTES)
        return answer

    async def read_to_end(self, within_s: float = 10) -> End:
        """Read as fast as it goes until the watch ends."""
        await self.read(lambda seen: seen.end is not None, within_s)
        assert self.recording.end is not None
        return self.recording.end

    async def trickle(self, bytes_per_s: int, until: Callable[[], bool]) -> None:
        """Read that slowly until something else is so, or the watch ends."""
        while self.recording.end is None and not until():
            try:
                async with asyncio.timeout(1 / _TRICKLES_PER_S):
                    await self._read(bytes_per_s // _TRICKLES_PER_S)
            except TimeoutError:
                continue
            await asyncio.sleep(1 / _TRICKLES_PER_S)

    async def pong(self) -> None:
        """Answer a ping, asked or not."""
        await asyncio.get_running_loop().sock_sendall(self._socket, _PONG)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    async def _read(self, size: int) -> None:
        try:
            data = await asyncio.get_running_loop().sock_recv(self._socket, size)
        except OSError as error:
            self.recording.finish(End(1006, repr(error)))
            return
        if not data:
            self.recording.finish(End(1006, "the connection was closed"))
        elif self._head is not None:
            self._begin(self._head + data)
        else:
            self.wire.feed(data, self.recording)

    def _begin(self, data: bytes) -> None:
        head, found, body = data.partition(b"\r\n\r\n")
        if found:
            assert re.match(rb"HTTP/1\.1 (101|200) ", head), head
            self.wire.feed(body, self.recording)
        self._head = None if found else data


async def connect(url: str, *, buffer_bytes: int = 0) -> socket.socket:
    """A connection that doesn't block, with as little memory as asked for."""
    parts = urlsplit(url)
    connected = socket.socket()
    connected.setblocking(False)  # noqa: FBT003 -- the only way to say it
    if buffer_bytes:
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
    await asyncio.get_running_loop().sock_connect(connected, (parts.hostname, parts.port))
    return connected
