"""The Server-Sent Events transport, read as the HTML standard says."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import aiohttp
from yarl import URL

from tests.support.client_ask import Ask
from tests.support.client_watcher import SMALL_BUFFER_BYTES, Gate, Refused, Watcher, small_socket
from tests.support.exchange import Exchange
from tests.support.recording import End, Frame
from tests.support.witness import witnessed_exchange, witnessed_frame


@dataclass(frozen=True)
class ServerSentEvent:
    """What an EventSource would dispatch; `data` is None for a block that only moves the last event id.

    `id` is what this block makes the last event id, None where it has no such field.
    """

    event: str
    data: str | None
    id: str | None


class EventStreamParser:
    """The parser of HTML 9.2.6, but for the byte order mark; bytes in, events out."""

    def __init__(self) -> None:
        self.retry_ms: int | None = None
        self.comments = 0
        self._rest = b""
        self._id: str | None = None
        self._event = ""
        self._data: list[str] = []

    def feed(self, piece: bytes) -> Iterator[ServerSentEvent]:
        """The events that these bytes complete."""
        text = self._rest + piece
        whole = text[:-1] if text.endswith(b"\r") else text
        lines = whole.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._rest = lines.pop() + text[len(whole) :]
        for line in lines:
            yield from self._line(line.decode())

    def _line(self, line: str) -> Iterator[ServerSentEvent]:
        if not line:
            yield from self._dispatch()
            return
        field, _, value = line.partition(":")
        self._field(field, value.removeprefix(" "))

    def _field(self, field: str, value: str) -> None:
        if field == "event":
            self._event = value
        elif field == "data":
            self._data.append(value)
        elif field == "id" and "\0" not in value:
            self._id = value
        elif field == "retry" and value.isdecimal():
            self.retry_ms = int(value)
        elif not field:
            self.comments += 1

    def _dispatch(self) -> Iterator[ServerSentEvent]:
        data = "\n".join(self._data) if self._data else None
        yield ServerSentEvent(self._event or "message", data, self._id)
        self._event, self._data, self._id = "", [], None


class SseWatcher(Watcher):
    """One or several watches by URL; the last event id is the cursor."""

    transport: ClassVar[str] = "sse"
    suffix: ClassVar[str] = ""
    patient: ClassVar[bool] = True

    def __init__(self, url: str, ask: Ask) -> None:
        super().__init__(url, ask)
        self.gate = Gate()
        self.parser = EventStreamParser()
        self._session: aiohttp.ClientSession | None = None
        self._response: aiohttp.ClientResponse | None = None

    @property
    def response(self) -> aiohttp.ClientResponse:
        """The answer, whose body never ends by itself."""
        assert self._response is not None
        return self._response

    async def _connect(self) -> None:
        self._session = self._new_session()
        suffix = self.suffix if len(self.ask.watches) == 1 else "/stream"
        target = URL(self.url + self.ask.target(suffix), encoded=True)
        try:
            self._response = await self._session.get(target, headers={"Accept": "text/event-stream"})
            await self._accept()
            self._witness(b"")
        except BaseException:
            await self._session.close()
            raise

    async def _accept(self) -> None:
        if self.response.status != 200:
            self._witness(body := await self.response.read())
            raise Refused(self.response.status, self.response.headers, body)
        assert self.response.content_type == "text/event-stream", self.response.content_type

    def _witness(self, body: bytes) -> None:
        target, told = self.response.url.raw_path_qs, self.response.headers
        asked = {"Accept": "text/event-stream"}
        witnessed_exchange(Exchange("GET", target, asked, None, self.response.status, told, body))

    def _new_session(self) -> aiohttp.ClientSession:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5)
        if self.patient:
            return aiohttp.ClientSession(timeout=timeout)
        connector = aiohttp.TCPConnector(socket_factory=lambda _: small_socket())
        return aiohttp.ClientSession(timeout=timeout, connector=connector, read_bufsize=SMALL_BUFFER_BYTES)

    async def _receive(self) -> End:
        try:
            while True:
                await self.gate.passed()
                piece = await self.response.content.readany()
                if not piece:
                    return End(0, "the server ended the stream")
                self._record(piece)
        except (aiohttp.ClientError, ConnectionError) as error:
            return End(1006, repr(error))

    def _record(self, piece: bytes) -> None:
        for event in self.parser.feed(piece):
            if event.data is not None:
                witnessed_frame(self, json.loads(event.data))
                self.recording.add(_frame(event.event, json.loads(event.data)), event.id)
            elif event.id:
                self.recording.mark(event.id)

    async def _disconnect(self) -> None:
        self.response.close()
        if self._session is not None:
            await self._session.close()

    def _abort(self) -> None:
        if self.response.connection is not None and self.response.connection.transport is not None:
            self.response.connection.transport.abort()

    async def _settle(self) -> None:
        await super()._settle()
        await self._disconnect()


def _frame(event: str, frame: Frame) -> Frame:
    """The frame; a CloudEvent, which has no member of that name, gets the event of its block."""
    assert frame.setdefault("event", event) == event, f"event: {event} over {frame}"
    return frame


class StreamWatcher(SseWatcher):
    """The same at `.../stream`, the address for clients that can't set headers."""

    transport: ClassVar[str] = "sse_stream"
    suffix: ClassVar[str] = "/stream"


class SlowSseWatcher(SseWatcher):
    """Like SseWatcher, with so little buffer that a shut gate is felt at once."""

    transport: ClassVar[str] = "sse_slow"
    patient: ClassVar[bool] = False
