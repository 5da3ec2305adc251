"""The transports that hold a connection or a request open: WebSocket, event stream, long poll."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from load.users.event_stream import EventStream
from load.users.http import OK, Http, Refused
from load.users.watcher import Watcher
from load.users.websocket import WebSocket

_SLOW: Final = 4008
_AT_ONCE: Final = {"wait": "0"}

Frames = Iterator[Mapping[str, Any]]


class WebSocketUser(Watcher):
    """A frame is a message."""

    transport: ClassVar[str] = "websocket"
    suffix: ClassVar[str] = "/ws"
    obeys_goaway: ClassVar[bool] = True

    def frames(self) -> Frames:
        """Until the server closes; its code names the end."""
        websocket = WebSocket(self.connect())
        self.on_answer(websocket.open(self.scene.endpoint.host, self.target(), self.fields))
        for text in websocket.messages():
            yield json.loads(text)
        self.ended = str(websocket.code)
        if websocket.code == _SLOW and websocket.reason:
            self.view.cursor = websocket.reason


class SseUser(Watcher):
    """A frame is an event, and the last id the cursor."""

    transport: ClassVar[str] = "sse"
    suffix: ClassVar[str] = "/stream"

    def frames(self) -> Frames:
        """Until the server ends the stream: like a browser's, it knows of `retry:` only."""
        http = Http(self.connect(), self.scene.endpoint.host)
        answer = http.begin("GET", self.target(), self.fields)
        if answer.status != OK:
            raise Refused(answer, b"".join(http.pieces()))
        self.on_answer(answer)
        stream = EventStream()
        for piece in http.pieces():
            for event in stream.feed(piece):
                if event.data:
                    yield json.loads(event.data)
                self.view.cursor = event.id or self.view.cursor
            self.view.hint_ms = stream.retry_ms


class LongPollUser(Watcher):
    """A frame is an item of an answer; one poll follows the other, each with the cursor of the one before."""

    transport: ClassVar[str] = "long poll"
    suffix: ClassVar[str] = "/poll"

    def frames(self) -> Frames:
        """Until the connection or the server goes away; whoever comes back asks first what there was meanwhile."""
        http = Http(self.connect(), self.scene.endpoint.host)
        while http.reusable and self.view.hint_ms is None:
            catching_up = self.view.cursor is not None and not self.view.synced
            answer, body = http.ask("GET", self.target(**(_AT_ONCE if catching_up else {})), self.fields)
            if answer.status != OK:
                raise Refused(answer, body)
            self.on_answer(answer)
            told = json.loads(body)
            yield from told["frames"]
            # Whoever shows a cursor is told no `synced`, but after a `reset`.
            yield {"event": "synced", "cursor": told["cursor"]}
