"""A watcher that goes on whatever happens, as a good client of the protocol does."""

import asyncio
import random
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import aiohttp
from websockets.exceptions import WebSocketException

from tests.chaos.clients import POLLS, client_at
from tests.support.client import Ask, Refused, Watch, Watcher
from tests.support.oracle import Connection, History
from tests.support.oracle_run import GROUPS, first_of, is_over
from tests.support.recording import Recording

SILENT_S: Final = 3.0
"""Bookmarks come every 0.5 s: whoever hears nothing for so long takes the connection for dead."""
OPEN_WITHIN_S: Final = 4.0
RETRY_S: Final = (0.05, 0.25)
LIVES_S: Final = (2.0, 8.0)
FOR_GOOD_S: Final = 3600.0
LATER: Final = frozenset(
    {"try_again", "going_away", "not_ready", "unavailable", "rate_limited", "too_many_connections"}
)
"""What a client is told that is to come again."""
_BROKEN: Final = (aiohttp.ClientError, OSError, EOFError, TimeoutError, WebSocketException, ssl.SSLError)


@dataclass
class Follower:
    """It stays connected, comes back with its cursor when a connection ends or falls silent, and never gives up.

    One that is sent away comes back when it was told to; an event stream stays until it ends, as a browser's does.

    A `restless` one also leaves by itself now and then. `failures` are answers that no client should ever get.
    """

    name: str
    transport: str
    ask: Ask
    url: str
    source: str
    rng: random.Random
    restless: bool = False
    connections: list[Connection] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    refused: int = 0
    silences: int = 0
    _watcher: Watcher | None = None
    _asked: Ask = field(init=False)
    _cursor: str | None = None

    @property
    def history(self) -> History:
        """All that it saw."""
        connections = list(self.connections)
        if self._watcher is not None:
            connections.append(Connection(self._asked, list(self._watcher.recording.entries)))
        return History(self.name, self.ask.mode or "state", connections)

    @property
    def streams(self) -> bool:
        """Whether it holds a connection, and so finds out by itself when it is cut."""
        return self.transport not in POLLS

    @property
    def heard(self) -> bool:
        """Whether it is connected, and has been told where it stands."""
        return self._watcher is not None and self._watcher.cursor is not None and not is_over(self._watcher.recording)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            asked = self.ask.following(self.transport, self._cursor)
            try:
                async with asyncio.timeout(OPEN_WITHIN_S):
                    watcher = await client_at(self.source, self.transport).open(self.url, asked)
            except (Refused, *_BROKEN) as error:
                self._refusal(error)
            else:
                self._asked, self._watcher = asked, watcher
                await self._live(watcher)
                await self._leave(watcher)
            await asyncio.sleep(self.rng.uniform(*RETRY_S))

    async def close(self) -> None:
        """End it, with what it has seen kept."""
        if self._watcher is not None:
            await self._watcher.cut()

    async def _live(self, watcher: Watcher) -> None:
        """Until it has ended, has been silent for too long, or it is time to leave."""
        life_s = self.rng.uniform(*LIVES_S) if self.restless else FOR_GOOD_S
        over = watcher.until(is_over, FOR_GOOD_S)
        await first_of(over, self._silence(watcher), asyncio.sleep(life_s), self._sent_away(watcher))

    async def _silence(self, watcher: Watcher) -> None:
        while await _is_told(watcher, SILENT_S):
            pass
        self.silences += 1

    async def _sent_away(self, watcher: Watcher) -> None:
        goaway = await watcher.wait_for(lambda frame: frame["event"] == "goaway", FOR_GOOD_S)
        await asyncio.sleep(FOR_GOOD_S if self.transport == "sse" else goaway["reconnect_in_ms"] / 1000)

    async def _leave(self, watcher: Watcher) -> None:
        await watcher.cut()
        self.connections.append(Connection(self._asked, watcher.recording.entries))
        self._cursor = watcher.cursor or self._cursor
        self._watcher = None
        for problem in watcher.recording.problems:
            self._told(problem["code"], problem.get("cursor"), str(problem))

    def _refusal(self, error: Exception) -> None:
        self.refused += 1
        if isinstance(error, Refused):
            problem = error.problem
            self._told(problem["code"], problem.get("cursor"), repr(error))

    def _told(self, code: str, cursor: str | None, told: str) -> None:
        """What a problem means for the next connection; an `at_least` of a log that is no more is `invalid`."""
        if code == "expired":
            self._cursor = cursor
        elif code == "invalid" and self.transport == "shortpoll" and self._cursor is not None:
            self._cursor = None
        elif code not in LATER:
            self.failures.append(told)


async def _is_told(watcher: Watcher, within_s: float) -> bool:
    """Whether anything comes within that time."""
    count = len(watcher.recording.entries)

    def more(seen: Recording) -> bool:
        return len(seen.entries) > count

    try:
        return await watcher.until(more, within_s)
    except TimeoutError:
        return False


def followers(
    collection: str, url: str, rng: random.Random, *, restless: bool = True, address: Callable[[int], str]
) -> list[Follower]:
    """One for every transport, kind of watch and mode, each from `address` of its number; every third is restless."""
    kinds = {
        "resource": Watch(collection, f"{GROUPS[0]}/0"),
        "collection": Watch(collection),
        "prefix": Watch(collection, prefix=f"{GROUPS[1]}/"),
    }
    asks = [
        (f"{transport}-{kind}-{mode}", transport, Ask((watch,), mode=mode))
        for transport in ("websocket", "websocket_msgpack", "sse", "longpoll")
        for kind, watch in kinds.items()
        for mode in ("state", "log")
    ]
    asks += [(f"shortpoll-{kind}", "shortpoll", Ask((watch,))) for kind, watch in kinds.items()]
    return [
        Follower(name, transport, ask, url, address(number), random.Random(rng.random()), restless and number % 3 == 0)
        for number, (name, transport, ask) in enumerate(asks)
    ]
