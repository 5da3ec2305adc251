"""A WebSocket over one connection."""

from collections.abc import Iterator
from typing import Final

from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    CloseConnection,
    Event,
    Ping,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)

from load.users.http import Answer, Refused
from load.users.line import Line

_SUBPROTOCOL: Final = "watch.v1.json"
_ABNORMAL: Final = 1006


class WebSocket:
    """The client's side; raises wsproto's RemoteProtocolError, and OSError. `code` is the close code, None before."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.code: int | None = None
        self.reason = ""
        self._state = WSConnection(ConnectionType.CLIENT)
        self._text: list[str] = []

    def open(self, host: str, target: str, fields: dict[str, str]) -> Answer:
        """Shake hands; raises Refused."""
        extra = [(name.encode(), value.encode()) for name, value in fields.items()]
        asked = Request(host=host, target=target, subprotocols=[_SUBPROTOCOL], extra_headers=extra)
        self.line.write(self._state.send(asked))
        event = self._event()
        if isinstance(event, AcceptConnection):
            return _answer(101, event.extra_headers)
        if not isinstance(event, RejectConnection):
            raise ConnectionResetError(f"the handshake was answered with {event}")
        raise Refused(_answer(event.status_code, event.headers), self._body() if event.has_body else b"")

    def messages(self) -> Iterator[str]:
        """Every text message, until the end."""
        while self.code is None:
            for event in self._state.events():
                yield from self._on_event(event)
            if self.code is None:
                self._receive()

    def _on_event(self, event: Event) -> Iterator[str]:
        match event:
            case TextMessage():
                self._text.append(event.data)
                if event.message_finished:
                    yield "".join(self._text)
                    self._text.clear()
            case Ping():
                self.line.write(self._state.send(event.response()))
            case CloseConnection():
                self.code, self.reason = int(event.code), event.reason or ""

    def _body(self) -> bytes:
        body = b""
        while isinstance(event := self._event(), RejectData):
            body += event.data
            if event.body_finished:
                break
        return body

    def _event(self) -> Event:
        """One event of the handshake; what follows it stays where it is."""
        while (event := next(iter(self._state.events()), None)) is None:
            self._receive()
            if self.code is not None:
                raise ConnectionResetError("the server hung up during the handshake")
        return event

    def _receive(self) -> None:
        data = self.line.read()
        if not data:
            self.code = _ABNORMAL
        elif self._state.state in {ConnectionState.CONNECTING, ConnectionState.OPEN, ConnectionState.REMOTE_CLOSING}:
            self._state.receive_data(data)


def _answer(status: int, fields: list[tuple[bytes, bytes]]) -> Answer:
    return Answer(status, {name.decode().lower(): value.decode() for name, value in fields})
