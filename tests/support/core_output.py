"""What a subscriber of the core wrote, read back by the rules of each wire; it does no I/O."""

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any, Final, NamedTuple
from weakref import WeakValueDictionary

import msgpack
import orjson

from services.pushserver.close import CloseReason
from services.pushserver.subscriber import Subscriber

Frame = dict[str, Any]


class Said(NamedTuple):
    """One thing that a client was told: a frame, or None where only the last event id moved.

    `cursor` is what the client may resume from once it has this, None where nothing new.
    """

    frame: Frame | None
    cursor: str | None


class FakeSink:
    """A sink that keeps what was written, and is full after as many writes as it is told.

    It calls the subscriber as a socket's transport does: `blocked` is set in the middle of a write. `kernel_write`
    finds it by its `socket`; the write that fills it is taken in part there, or not at all.
    """

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.room: int | None = None
        self.was_cut = False
        self.woken = False
        self.closed: CloseReason | None = None
        self.cursor: str | None = None
        self.subscriber: Subscriber
        self.socket = next(_numbers)
        _sinks[self.socket] = self
        self._half: bytes | None = None

    def write(self, data: bytes) -> None:
        """Take bytes."""
        assert data, "an empty write wakes a socket for nothing"
        assert self.closed is None, f"{data!r} is written after the close"
        assert self._half is None, f"{data!r} overtakes the rest of {self._half!r}"
        self.written.append(data)
        if self.room is not None:
            self.room -= 1
            if self.room <= 0:
                self.subscriber.blocked = True

    def take_directly(self, data: bytes) -> int:
        """Take bytes that are written to the socket by the hub itself; returns how many, or raises OSError."""
        assert not self.subscriber.blocked, f"{data!r} overtakes what waits for the socket"
        if self.room is None or self.room > 1:
            self.write(data)
            return len(data)
        self._half = data
        if len(data) % 2:
            raise BlockingIOError
        return len(data) // 2

    def finish(self, data: bytes, written: int) -> None:
        """Take the rest, and be full."""
        assert self._half is data
        assert written == (0 if len(data) % 2 else len(data) // 2)
        self._half = None
        self.write(data)

    def close(self, reason: CloseReason, cursor: str | None) -> None:
        """The end."""
        assert self.closed is None, "a connection ends once"
        self.closed, self.cursor = reason, cursor

    def cut(self) -> None:
        """The end, and nothing that waits is told."""
        self.was_cut = True

    def wake(self) -> None:
        """Remember that `pump` is wanted."""
        self.woken = True

    def mind_stall(self, now: float, stalled_s: float) -> None:
        """Never too slow."""

    def take(self) -> bytes:
        """What was written since the last call."""
        taken = b"".join(self.written)
        self.written.clear()
        return taken

    def empty(self) -> bool:
        """Take bytes again, and give one turn; returns whether another one is wanted."""
        self.subscriber.blocked = self.subscriber.ended
        self.woken = self.subscriber.pump()
        return self.woken

    def drain(self) -> None:
        """Take bytes again, and give turns as long as, and only if, they are wanted."""
        self.room = None
        again = self.woken or self.subscriber.blocked
        while again:
            again = self.empty()


_numbers = count(3)
_sinks: WeakValueDictionary[int, FakeSink] = WeakValueDictionary()


def kernel_write(socket: int, data: bytes) -> int:
    """What the hub writes with: `os.write` for fake sinks."""
    return _sinks[socket].take_directly(data)


def read_websocket(data: bytes) -> Iterator[Said]:
    """Unmasked, final text frames; a frame that carries a cursor moves the client's."""
    yield from (_of_frame(orjson.loads(payload)) for payload in _payloads(data, 0x81))


def read_binary_websocket(data: bytes) -> Iterator[Said]:
    """The same of binary frames, in msgpack."""
    yield from (_of_frame(msgpack.unpackb(payload)) for payload in _payloads(data, 0x82))


def _payloads(data: bytes, first: int) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        assert data[at] == first
        size, at = data[at + 1], at + 2
        if size >= 126:
            width = 2 if size == 126 else 8
            size, at = int.from_bytes(data[at : at + width]), at + width
        yield data[at : at + size]
        at += size


def read_lines(data: bytes) -> Iterator[Said]:
    """One JSON frame a line."""
    for line in data.splitlines():
        yield _of_frame(orjson.loads(line))


def read_sse(data: bytes) -> Iterator[Said]:
    """HTTP chunks, each of them one message of an event stream; only an `id` moves the client's cursor."""
    at = 0
    while at < len(data):
        end = data.index(b"\r\n", at)
        size = int(data[at:end], 16)
        message = data[end + 2 : end + 2 + size]
        at = end + 2 + size + 2
        assert data[at - 2 : at] == b"\r\n"
        yield _of_message(message.decode())


def _of_frame(frame: Frame) -> Said:
    # The cursor of a problem is an offer: it is not how far the client has come.
    return Said(frame, None if frame["event"] == "problem" else frame.get("cursor"))


def _of_message(message: str) -> Said:
    assert message.endswith("\n\n")
    fields = dict(line.split(": ", 1) for line in message.splitlines() if line)
    frame = orjson.loads(fields["data"]) if "data" in fields else None
    assert frame is None or frame["event"] == fields["event"]
    return Said(frame, fields.get("id"))


READERS: Final[Mapping[str, Callable[[bytes], Iterator[Said]]]] = {
    "ws": read_websocket,
    "ws-msgpack": read_binary_websocket,
    "sse": read_sse,
    "sse-one": read_sse,
    "lines": read_lines,
}
