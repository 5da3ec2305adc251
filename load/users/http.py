"""HTTP/1.1 over one connection, one request after another."""

import time
from collections.abc import Iterator
from typing import Final, NamedTuple

import h11

from load.users.line import Line

OK: Final = 200
NOT_MODIFIED: Final = 304
NOT_FOUND: Final = 404
_LATER: Final = {429, 503}
_WRONG: Final = 400


class Answer(NamedTuple):
    """The head of an answer; the names of fields are in lower case."""

    status: int
    fields: dict[str, str]

    @property
    def later(self) -> bool:
        """Whether it says to come back later."""
        return self.status in _LATER

    @property
    def wrong(self) -> bool:
        """Whether it refuses."""
        return self.status >= _WRONG

    @property
    def retry_after_s(self) -> float | None:
        """The pause that it asks for."""
        text = self.fields.get("retry-after", "")
        return float(text) if text.isdecimal() else None

    @property
    def cookie(self) -> str | None:
        """The name and value of the cookie that it sets."""
        return self.fields["set-cookie"].partition(";")[0] if "set-cookie" in self.fields else None


class Refused(Exception):
    """An answer other than the one that was asked for; `body` is its problem document."""

    def __init__(self, answer: Answer, body: bytes = b"") -> None:
        super().__init__(f"{answer.status} {body[:300].decode(errors='replace')}")
        self.answer = answer
        self.body = body


class Http:
    """A client of one server over one connection; raises h11.RemoteProtocolError and OSError."""

    def __init__(self, line: Line, host: str) -> None:
        self.line = line
        self.used_at = time.monotonic()
        self._host = host
        self._state = h11.Connection(h11.CLIENT)

    @property
    def reusable(self) -> bool:
        """Whether another request may follow."""
        return self._state.our_state is h11.IDLE

    def ask(self, method: str, target: str, fields: dict[str, str], body: bytes = b"") -> tuple[Answer, bytes]:
        """One request and the whole of its answer."""
        answer = self.begin(method, target, fields, body)
        content = b"".join(self.pieces())
        if self._state.our_state is h11.DONE and self._state.their_state is h11.DONE:
            self._state.start_next_cycle()
        self.used_at = time.monotonic()
        return answer, content

    def begin(self, method: str, target: str, fields: dict[str, str], body: bytes = b"") -> Answer:
        """Send a request, and read the head of its answer."""
        own = {"Host": self._host, **fields} | ({"Content-Length": str(len(body))} if body else {})
        data = self._state.send(h11.Request(method=method, target=target, headers=list(own.items()))) or b""
        data += (self._state.send(h11.Data(data=body)) or b"") if body else b""
        self.line.write(data + (self._state.send(h11.EndOfMessage()) or b""))
        while not isinstance(event := self._event(), h11.Response):
            pass
        return Answer(event.status_code, {name.decode(): value.decode() for name, value in event.headers})

    def pieces(self) -> Iterator[bytes]:
        """The body, as it comes."""
        while isinstance(event := self._event(), h11.Data):
            yield bytes(event.data)

    def _event(self) -> object:
        while (event := self._state.next_event()) is h11.NEED_DATA:
            self._state.receive_data(self.line.read())
        return event
