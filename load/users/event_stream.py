"""Server-sent events out of the bytes of a stream, as the HTML standard reads them."""

from collections.abc import Iterator
from typing import NamedTuple


class ServerSentEvent(NamedTuple):
    """One block of fields; `data` is None where it has none, `id` None where it doesn't say one."""

    data: str | None
    id: str | None


class EventStream:
    """A parser: bytes in, events out. `retry_ms` is the last that the server asked for, None before."""

    def __init__(self) -> None:
        self.retry_ms: int | None = None
        self._rest = b""
        self._data: list[str] = []
        self._id: str | None = None

    def feed(self, piece: bytes) -> Iterator[ServerSentEvent]:
        """The events that these bytes complete; ours ends its lines with LF."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            if line:
                self._field(line.decode())
            elif self._data or self._id is not None:
                yield ServerSentEvent("\n".join(self._data) if self._data else None, self._id)
                self._data, self._id = [], None

    def _field(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "data":
                self._data.append(value)
            case "id":
                self._id = value
            case "retry" if value.isdecimal():
                self.retry_ms = int(value)
