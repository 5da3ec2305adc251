"""Watchers that come through the front door from an address of their own, over TLS."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, Final

import aiohttp
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from tests.support.client import Ask, Refused, Watcher
from tests.support.client_poll import ShortPollWatcher
from tests.support.client_sse import SseWatcher
from tests.support.client_websocket import MsgpackWatcher, WebSocketWatcher
from tests.support.front_client import DoorHttp, DoorPoll

SHORT_POLL_EVERY_S: Final = 0.2
_OPEN_WITHIN_S: Final = 3


class ChaosWebSocket(WebSocketWatcher):
    """JSON by operations."""

    source: ClassVar[str] = "127.0.0.1"

    async def _connect(self) -> None:
        try:
            self._connection = await connect(
                "ws" + self.url.removeprefix("http") + self._target(),
                subprotocols=[Subprotocol(self.subprotocol)],
                compression=None,
                max_size=None,
                ping_interval=None,
                open_timeout=_OPEN_WITHIN_S,
                close_timeout=2,
                proxy=None,
                local_addr=(self.source, 0),
            )
        except InvalidStatus as refusal:
            answer = refusal.response
            raise Refused(answer.status_code, dict(answer.headers.raw_items()), bytes(answer.body or b"")) from None
        await self._request()


class ChaosMsgpack(ChaosWebSocket, MsgpackWatcher):
    """The same in msgpack."""


class ChaosSse(SseWatcher):
    """An event stream."""

    source: ClassVar[str] = "127.0.0.1"

    def _new_session(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(), local_addr=(self.source, 0))
        return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None, sock_connect=3), connector=connector)


class ChaosLongPoll(DoorPoll):
    """Long polls, by a client that keeps the door's cookie, as a browser does."""

    source: ClassVar[str] = "127.0.0.1"

    def __init__(self, url: str, ask: Ask) -> None:
        Watcher.__init__(self, url, ask)
        self.http = DoorHttp(url, source=self.source, cookies=True)
        self.answers = 0

    async def _pause(self) -> None:
        if self.recording.problems:
            # It was told how to go on: asking the same again would be told the same again.
            await asyncio.Event().wait()


class ChaosShortPoll(ShortPollWatcher):
    """Plain GETs, which never ask for less than was seen: each may be answered by another server.

    Every answer is recorded, also one without news: it was heard.
    """

    source: ClassVar[str] = "127.0.0.1"

    def __init__(self, url: str, ask: Ask) -> None:
        Watcher.__init__(self, url, ask)
        self.http = DoorHttp(url, source=self.source)
        self.answers = 0
        self._etag = None
        self._known = {}

    async def _pause(self) -> None:
        await asyncio.sleep(SHORT_POLL_EVERY_S)

    async def _poll(self) -> None:
        first, before = self.ask, len(self.recording.entries)
        self.ask = replace(first, at_least=self.cursor or first.at_least)
        try:
            await super()._poll()
        finally:
            self.ask = first
        if self.cursor is not None and len(self.recording.entries) == before:
            self.recording.mark(self.cursor)


TRANSPORTS: Final[Mapping[str, type[Watcher]]] = {
    each.transport: each for each in (ChaosWebSocket, ChaosMsgpack, ChaosSse, ChaosLongPoll, ChaosShortPoll)
}
POLLS: Final = frozenset({ChaosLongPoll.transport, ChaosShortPoll.transport})


def client_at(source: str, transport: str) -> type[Watcher]:
    """The client of a transport that comes from that loopback address."""
    kind = TRANSPORTS[transport]
    return type(kind.__name__, (kind,), {"source": source})
