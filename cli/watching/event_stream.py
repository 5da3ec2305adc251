"""The event stream format of SSE: bytes in, messages out (WHATWG HTML, section 9.2.6)."""

from cli.watching.arrival import Arrival


class EventStream:
    """A parser. The cursor of an arrival is the last `id` of the stream, as a browser remembers it."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[str] = []
        self._id: str | None = None

    def feed(self, piece: bytes) -> list[Arrival]:
        """Take bytes; returns what they complete. Lines end with LF or CR LF, not with a lone CR."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        arrivals = []
        for line in lines:
            if text := line.removesuffix(b"\r").decode(errors="replace"):
                self._on_field(text)
            elif self._data or self._id:
                arrivals.append(Arrival("\n".join(self._data), self._id))
                self._data, self._id = [], None
        return arrivals

    def _on_field(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "id" and "\0" not in value:
            self._id = value
