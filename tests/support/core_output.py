"""What a subscriber of the core wrote, read back by the rules of each wire; it does no I/O."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

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

    It calls the subscriber as a socket's transport does: `blocked` is set in the middle of a write.
    """

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.room: int | None = None
        self.woken = False
        self.closed: CloseReason | None = None
        self.cursor: str | None = None
        self.subscriber: Subscriber

    def write(self, data: bytes) -> None:
        """Take bytes."""
        assert data, "an empty write wakes a socket for nothing"
        assert self.closed is None, f"{data!r} is written after the close"
        self.written.append(data)
        if self.room is not None:
            self.room -= 1
            if self.room <= 0:
                self.subscriber.blocked = True

    def close(self, reason: CloseReason, cursor: str | None) -> None:
        """The end."""
        assert self.closed is None, "a connection ends once"
        self.closed, self.cursor = reason, cursor

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

    def drain(self) -> None:
        """Take bytes again, and call `pump` as long as, and only if, the subscriber asks for it."""
        self.room = None
        again = self.subscriber.on_writable() if self.subscriber.blocked else self.woken
        while again:
            again = self.subscriber.pump()
        self.woken = False


def read_websocket(data: bytes) -> Iterator[Said]:
    """Unmasked, final text frames; a frame that carries a cursor moves the client's."""
    at = 0
    while at < len(data):
        assert data[at] == 0x81
        size, at = data[at + 1], at + 2
        if size >= 126:
            width = 2 if size == 126 else 8
            size, at = int.from_bytes(data[at : at + width]), at + width
        yield _of_frame(orjson.loads(data[at : at + size]))
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
    "sse": read_sse,
    "sse-one": read_sse,
    "lines": read_lines,
}
