"""A watcher that comes back: through the front door, with TLS, from an address of its own, with its last cursor.

One that is sent away does so when it was told to: a WebSocket hangs up then, an event stream stays until it ends, as
that of a browser does.
"""

import asyncio
import random
import re
import ssl
from dataclasses import dataclass
from typing import Final

from load.bench.crowd.request import get, upgrade
from load.rolling.account import Account
from load.rolling.timeline import Timeline
from tests.support.client_ask import Ask
from tests.support.client_socket import EventStreamWire, WebSocketWire, Wire
from tests.support.recording import DATA_EVENTS, Frame, Recording

_HOST: Final = "127.0.0.1"
_READ_BYTES: Final = 64 * 1024
_ANSWERS_WITHIN_S: Final = 20
_ACCEPTED: Final = re.compile(rb"HTTP/1\.1 (101|200) ")
_STATUS: Final = re.compile(rb"HTTP/1\.1 (\d+) ")
_COOKIE: Final = re.compile(rb"(?i)^set-cookie: (watchroute=[^;\r]+)", re.MULTILINE)
_LATER: Final = re.compile(rb"(?i)^retry-after: (\d+)", re.MULTILINE)
_CLOSE: Final = b"\x88\x80\0\0\0\0"
"""Masked with zeros, and empty."""
_UNTOLD_S: Final = 2.0
"""Who was told nothing comes back within so long, at random: an EventSource waits for `sse_retry_ms`."""


@dataclass(frozen=True)
class Way:
    """How a watcher connects: to which port, whom it trusts, from where, by which wire, and whether with cookies."""

    port: int
    trust: ssl.SSLContext
    source: str
    wire: str
    keeps_cookies: bool


class Connection(Recording):
    """One connection of a watcher; keeps nothing but what the next one needs, which is to begin at `back_at`."""

    def __init__(self, account: Account, cursor: str | None) -> None:
        super().__init__()
        account.on_connection()
        self.cursor = cursor
        self.synced = False
        self.back_at: float | None = None
        self._account = account

    def add(self, frame: Frame, cursor: str | None = None) -> None:
        """Take a frame."""
        event = frame["event"]
        if event in DATA_EVENTS:
            self._account.on_change(frame["resource"], int(frame["version"]))
        elif event == "synced":
            self.synced = True
        elif event == "goaway":
            self.back_at = asyncio.get_running_loop().time() + frame["reconnect_in_ms"] / 1000
        elif event in {"reset", "problem"}:
            self._account.on_reset()
        self.cursor = cursor or self.cursor

    def mark(self, cursor: str) -> None:
        """Take a cursor."""
        self.cursor = cursor


class Watcher:
    """Watches from its first `watch` until that is cancelled; tells the timeline when it comes and goes."""

    def __init__(self, way: Way, ask: Ask, account: Account, timeline: Timeline) -> None:
        self.way = way
        self.ask = ask
        self.account = account
        self.synced = asyncio.Event()
        self._timeline = timeline
        self._cursor: str | None = None
        self._cookie = b""
        self._away_since: float | None = None

    async def watch(self) -> None:
        """Connect, read to the end, and again, when it is told to."""
        while True:
            pause_s = await self._once()
            await asyncio.sleep(pause_s)

    async def _once(self) -> float:
        """One connection from its beginning to its end; how many seconds to stay away then."""
        try:
            async with asyncio.timeout(_ANSWERS_WITHIN_S):
                reader, writer = await asyncio.open_connection(
                    _HOST, self.way.port, ssl=self.way.trust, server_hostname="localhost",
                    local_addr=(self.way.source, 0),
                )  # fmt: skip
        except (OSError, TimeoutError) as error:
            self._timeline.fail(type(error).__name__)
            return random.uniform(0, _UNTOLD_S)
        try:
            return await self._use(reader, writer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            self._timeline.fail(type(error).__name__)
            return random.uniform(0, _UNTOLD_S)
        finally:
            self.synced.clear()
            writer.transport.abort()

    async def _use(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> float:
        writer.write(self._request())
        async with asyncio.timeout(_ANSWERS_WITHIN_S):
            head = await reader.readuntil(b"\r\n\r\n")
        if not _ACCEPTED.match(head):
            return self._refused(head)
        if self.way.keeps_cookies and (given := _COOKIE.search(head)):
            self._cookie = given[1]
        self._timeline.accepted()
        connection = Connection(self.account, self._cursor)
        try:
            await self._read(reader, connection)
        finally:
            self._cursor = connection.cursor
            if connection.synced:
                self._away_since = self._timeline.now_s()
        self._timeline.ended(told=connection.back_at is not None)
        if self.way.wire == "ws":
            writer.write(_CLOSE)
        if connection.back_at is None:
            return random.uniform(0, _UNTOLD_S)
        return max(0.0, connection.back_at - asyncio.get_running_loop().time())

    async def _read(self, reader: asyncio.StreamReader, connection: Connection) -> None:
        """Read to the end, or until it is time to come back."""
        wire: Wire = WebSocketWire() if self.way.wire == "ws" else EventStreamWire()
        try:
            async with asyncio.timeout(None) as staying:
                while connection.end is None and (data := await reader.read(_READ_BYTES)):
                    wire.feed(data, connection)
                    if self.way.wire == "ws":
                        staying.reschedule(connection.back_at)
                    if connection.synced and not self.synced.is_set():
                        self.synced.set()
                        self._timeline.synced(self._away_since)
        except TimeoutError:
            if not staying.expired():
                raise

    def _request(self) -> bytes:
        make, suffix = (upgrade, "/ws") if self.way.wire == "ws" else (get, "/stream")
        request = make(self.ask.resume(self._cursor).target(suffix))
        return request[:-2] + b"Cookie: " + self._cookie + b"\r\n\r\n" if self._cookie else request

    def _refused(self, head: bytes) -> float:
        status = _STATUS.match(head)
        self._timeline.fail(status[1].decode() if status else "no HTTP")
        later = _LATER.search(head)
        return (int(later[1]) if later else 0) + random.random()
