"""The world that the oracle judges: writers, watchers that come and go, and servers that die."""

import asyncio
import itertools
import random
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

from infra.cluster.service import Service
from tests.support.client import Ask, Refused, Watch, Watcher, Writer, open_watch
from tests.support.fleet import Fleet
from tests.support.oracle import Connection, History
from tests.support.recording import Recording

COLLECTION: Final = "items"
TRANSPORTS: Final = ("websocket", "websocket_msgpack", "websocket_url", "sse", "longpoll")
RESOURCES: Final = 50
GROUPS: Final = "abcde"
DELETES: Final = 0.15
LIVES_S: Final = (0.5, 6.0)
GONE_S: Final = (0.0, 0.6)
CUTS: Final = 0.8
RETRY_S: Final = 0.1
ENDLESS_S: Final = 3600.0


def names() -> list[str]:
    """The resources, in groups that share a prefix."""
    return [f"{COLLECTION}/{GROUPS[number % len(GROUPS)]}/{number}" for number in range(RESOURCES)]


class Writers:
    """Puts and deletes of random resources, until they are told to stop; counts what was acknowledged."""

    def __init__(self, writer: Writer, rng: random.Random) -> None:
        self.written = 0
        self._writer = writer
        self._rng = rng
        self._numbers = itertools.count()

    async def run(self, until_s: float, pause_s: float) -> None:
        """One writer: a write, a pause, until the clock says `until_s`."""
        while time.monotonic() < until_s:
            await self.write(self._rng.choice(names()))
            await asyncio.sleep(self._rng.expovariate(1 / pause_s))

    async def write(self, resource: str) -> None:
        """One put or delete."""
        if self._rng.random() < DELETES:
            await self._writer.delete(resource)
        else:
            number = next(self._numbers)
            await self._writer.put(resource, {"n": number, "of": resource, "fill": "x" * self._rng.randrange(300)})
        self.written += 1


def is_over(seen: Recording) -> bool:
    """Whether the connection has ended, or its watch was refused."""
    return seen.end is not None or bool(seen.problems)


async def first_of(*waits: Coroutine[Any, Any, Any]) -> None:
    """Return when the first is done, and let the others go."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@dataclass
class Wanderer:
    """One watcher: it connects, is cut or leaves, and resumes on any server, until it is told to stay."""

    name: str
    transport: str
    ask: Ask
    fleet: Fleet
    rng: random.Random
    connections: list[Connection] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    staying: asyncio.Event = field(default_factory=asyncio.Event)
    _watcher: Watcher | None = None
    _cursor: str | None = None

    @property
    def history(self) -> History:
        """All that it saw."""
        connections = list(self.connections)
        if self._watcher is not None:
            connections.append(Connection(self._watcher.ask, list(self._watcher.recording.entries)))
        return History(self.name, self.ask.mode or "state", connections)

    async def run(self) -> None:
        """Wander until told to stay; then stay connected."""
        while not self.staying.is_set() or self._watcher is None:
            await self._one_life()

    async def close(self) -> None:
        """End it, with what it has seen kept."""
        if self._watcher is not None:
            await self._watcher.close()

    async def _one_life(self) -> None:
        server: Service = self.rng.choice(self.fleet.servers)
        try:
            self._watcher = await open_watch(
                self.transport, server.url, self.ask.following(self.transport, self._cursor)
            )
        except (aiohttp.ClientError, OSError, Refused, EOFError) as error:
            self._note(error)
            await asyncio.sleep(RETRY_S)
            return
        await self._live(self._watcher)
        if not self.staying.is_set() or is_over(self._watcher.recording):
            await self._leave(self._watcher)

    async def _live(self, watcher: Watcher) -> None:
        """Until it is time to go, the watch is over, or it may stay, and then until it is synced."""
        life_s = self.rng.uniform(*LIVES_S)
        await first_of(self.staying.wait(), asyncio.sleep(life_s), watcher.until(is_over, ENDLESS_S))
        if self.staying.is_set():
            await first_of(watcher.wait_synced(ENDLESS_S), watcher.until(is_over, ENDLESS_S))

    async def _leave(self, watcher: Watcher) -> None:
        await (watcher.cut() if self.rng.random() < CUTS else watcher.close())
        self.connections.append(Connection(watcher.ask, watcher.recording.entries))
        self._cursor = watcher.cursor or self._cursor
        self._watcher = None
        self._problems(watcher)
        await asyncio.sleep(self.rng.uniform(*GONE_S))

    def _problems(self, watcher: Watcher) -> None:
        told = watcher.recording.problems
        self.failures += [str(frame) for frame in told if frame["code"] not in {"try_again", "going_away", "not_ready"}]

    def _note(self, error: Exception) -> None:
        if isinstance(error, Refused) and error.status != 503:
            self.failures.append(repr(error))


def wanderers(fleet: Fleet, rng: random.Random) -> list[Wanderer]:
    """One for every transport, kind of watch and mode."""
    kinds = {
        "resource": Watch(COLLECTION, names()[0].partition("/")[2]),
        "collection": Watch(COLLECTION),
        "prefix": Watch(COLLECTION, prefix=f"{GROUPS[0]}/"),
    }
    asks = [(kind, mode, Ask((watch,), mode=mode)) for kind, watch in kinds.items() for mode in ("state", "log")]
    found = [
        Wanderer(f"{transport}-{kind}-{mode}", transport, ask, fleet, random.Random(rng.random()))
        for transport in TRANSPORTS
        for kind, mode, ask in asks
    ]
    return found + [
        Wanderer(f"shortpoll-{kind}", "shortpoll", Ask((watch,)), fleet, random.Random(rng.random()))
        for kind, watch in kinds.items()
    ]
