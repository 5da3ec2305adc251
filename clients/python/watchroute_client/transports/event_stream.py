"""The format of event streams (WHATWG HTML, section 9.2.6): bytes in, messages out."""

from typing import NamedTuple


class Message(NamedTuple):
    """`data` may be empty: then it is an `id` or a `retry` alone. `retry_ms` is said once."""

    data: str
    id: str | None = None
    retry_ms: int | None = None


class EventStream:
    """A parser; lines end with LF or CR LF."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[str] = []
        self._id: str | None = None
        self._retry_ms: int | None = None

    def feed(self, piece: bytes) -> list[Message]:
        """Take bytes; returns the messages that they complete."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
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
        elif name == "retry" and value.isdigit():
            self._retry_ms = int(value)
