"""The format of event streams (WHATWG HTML, section 9.2.6): bytes in, messages out."""

from typing import Final, NamedTuple

from watchroute_client.problem import WatchError

MAX_LINE_BYTES: Final = 64 * 1024 * 1024


class Message(NamedTuple):
    """`data` may be empty: then it is an `id` or a `retry` alone. `retry_ms` is said once."""

    data: str
    id: str | None = None
    retry_ms: int | None = None


class EventStream:
    """A parser; lines end with LF or CR LF, and are held up to MAX_LINE_BYTES."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._rest_bytes = 0
        self._data: list[str] = []
        self._id: str | None = None
        self._retry_ms: int | None = None

    def feed(self, piece: bytes) -> list[Message]:
        """Take bytes; returns the messages that they complete. Raises WatchError at a line that has no end."""
        self._rest.append(piece)
        self._rest_bytes += len(piece)
        if b"\n" not in piece:
            # Joined once, when its end has come: a long line arrives in many pieces.
            if self._rest_bytes > MAX_LINE_BYTES:
                raise WatchError("unreachable", "the stream is no event stream: a line of it has no end")
            return []
        *lines, rest = b"".join(self._rest).split(b"\n")
        self._rest, self._rest_bytes = [rest], len(rest)
        return [message for line in lines if (message := self._line(line.removesuffix(b"\r"))) is not None]

    def _line(self, line: bytes) -> Message | None:
        if line:
            self._field(line.decode(errors="replace"))
            return None
        found = Message("\n".join(self._data), self._id, self._retry_ms)
        self._data, self._id, self._retry_ms = [], None, None
        return None if found == Message("") else found

    def _field(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self._retry_ms = int(value)
