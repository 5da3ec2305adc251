"""A busy collection with two crowds: healthy watchers, and others that stop reading once they are synced."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from load.bench.ground import Ground
from load.bench.plan import Plan, numbered
from load.bench.publisher import Publisher
from load.bench.server import Server, serving
from load.bench.specimen import VALUE_BYTES
from load.bench.usage import forget_peak, peak_rss_bytes
from load.bench.watchers import Group, watching
from tests.support.client import Ask, Watch
from tests.support.client_socket import SocketWatcher, connect
from tests.support.client_watcher import SMALL_BUFFER_BYTES
from tests.support.recording import Frame, Recording

WIRES: Final = ("ws", "sse")
MODES: Final = ("state", "log")
_SAMPLES: Final = 5
"""Healthy watchers of each kind whose every frame is looked at; of the others frames are counted."""
_AT_A_TIME: Final = 20
_WITHIN_S: Final = 120
_PATHS: Final = {"ws": "/ws", "sse": "/stream"}
_WAITING_BYTES: Final = VALUE_BYTES + 256
"""What a mailbox counts for a change of ours."""

Versions = Counter[tuple[str, int]]
"""Resource and number of the value, each as often as it came."""


@dataclass(frozen=True)
class Scale:
    """How many watchers of each kind (two wires, two modes), and what is published meanwhile."""

    healthy: int
    stalled: int
    resources: int
    per_s: int
    seconds: int
    mailbox_bytes: int

    @property
    def plan(self) -> Plan:
        """The changes: each resource equally often."""
        return Plan(numbered(self.resources), self.rounds * self.resources)

    @property
    def rounds(self) -> int:
        """How often each resource changes."""
        return self.per_s * self.seconds // self.resources

    @property
    def may_hold_bytes(self) -> int:
        """What may wait for the stalled: bounded by the setting, in state mode by the resources too."""
        of_state = min(self.mailbox_bytes, self.resources * _WAITING_BYTES)
        return len(WIRES) * self.stalled * (self.mailbox_bytes + of_state)


@dataclass(frozen=True)
class Health:
    """What the healthy of one kind received; `p99_ms` is from the publisher to the client."""

    mode: str
    fewest: int
    most: int
    frames: int
    missing: int
    disordered: int
    p99_ms: float


class Stalled:
    """One that stops once it is synced, until it is told to catch up."""

    def __init__(self, server: Server, wire: str, mode: str) -> None:
        self.wire = wire
        self.mode = mode
        self._url = f"http://127.0.0.1:{server.port}"
        self._ask = Ask((Watch("feed"),), mode=mode, snapshot=False)
        self.watcher: SocketWatcher

    async def stall(self) -> None:
        """Open it, and read no more."""
        connected = await connect(self._url, buffer_bytes=SMALL_BUFFER_BYTES)
        self.watcher = await SocketWatcher.open(connected, self.wire, self._ask)

    async def converge(self, changes: int) -> tuple[Versions, int]:
        """Read on until each change was told or counted; gives what was told and how many were elided."""
        seen = self.watcher.recording
        await self.watcher.read(lambda seen: skipped(seen) + len(seen.data) >= changes, _WITHIN_S)
        self.watcher.close()
        return versions(seen.data), skipped(seen)

    async def resume(self, changes: int) -> tuple[Versions, Versions]:
        """Read on to the end, and go on from the cursor of it elsewhere: what was told before and after."""
        seen = self.watcher.recording
        end = await self.watcher.read_to_end(_WITHIN_S)
        assert [problem["code"] for problem in seen.problems] == ["slow"], (end, seen.problems)
        assert end.code == (4008 if self.wire == "ws" else 0), end
        self.watcher.close()
        before = versions(seen.data)
        cursor = end.reason if self.wire == "ws" else seen.cursor
        again = await SocketWatcher.open(await connect(self._url), self.wire, self._ask.resume(cursor))
        await again.read(lambda more: len(before) + len(more.data) >= changes, _WITHIN_S)
        again.close()
        assert "reset" not in {frame["event"] for frame in again.recording.frames}
        return before, versions(again.recording.data)


class Crowds:
    """Both crowds at one push server."""

    def __init__(self, server: Server, publisher: Publisher, topic: str, scale: Scale) -> None:
        self.server = server
        self.scale = scale
        self.stalled: list[Stalled] = []
        self._publisher = publisher
        self._topic = topic
        self._healthy: list[tuple[str, Group]] = []

    async def open(self, watchers: Any, *, stalled: bool) -> None:
        """Open them all."""
        for wire in WIRES:
            for mode in MODES:
                target = f"/v1/feed{_PATHS[wire]}?snapshot=false&mode={mode}"
                every = max(1, self.scale.healthy // _SAMPLES)
                port, count = self.server.port, self.scale.healthy
                self._healthy.append((mode, await watchers.open(port, wire, target, count, sample_every=every)))
                kind = [Stalled(self.server, wire, mode) for _ in range(self.scale.stalled if stalled else 0)]
                await in_turn([each.stall() for each in kind])
                self.stalled += kind

    async def publish(self) -> int:
        """Publish everything, and wait until the healthy have it; by how many bytes the server's memory grew."""
        for _, group in self._healthy:
            await group.begin()
        before = self.server.rss_bytes()
        forget_peak(self.server.pid)
        plan = self.scale.plan
        await self._publisher.paced(self._topic, plan, self.scale.per_s)
        for _, group in self._healthy:
            await group.wait(plan.ends * self.scale.healthy, _WITHIN_S)
        return peak_rss_bytes(self.server.pid) - before

    async def health(self) -> list[Health]:
        """Of each kind."""
        return [_health(mode, await group.status(), await group.judge()) for mode, group in self._healthy]


@asynccontextmanager
async def crowds(ground: Ground, publisher: Publisher, scale: Scale, *, stalled: bool) -> AsyncIterator[Crowds]:
    """A push server of its own, and the crowds at it."""
    settings = {"mailbox_bytes": scale.mailbox_bytes, "bookmark_interval_s": 1}
    async with serving(ground, **settings) as server, watching() as watchers:
        both = Crowds(server, publisher, ground.topic("feed"), scale)
        await both.open(watchers, stalled=stalled)
        yield both


async def in_turn(coroutines: Sequence[Any]) -> list[Any]:
    """Their results, a few at a time."""
    places = asyncio.Semaphore(_AT_A_TIME)

    async def one(coroutine: Any) -> Any:
        async with places:
            return await coroutine

    return await asyncio.gather(*map(one, coroutines))


def skipped(seen: Recording) -> int:
    """How many values the bookmarks say were left out."""
    return sum(frame["skipped"] for frame in seen.frames if frame["event"] == "bookmark")


def versions(frames: Sequence[Frame]) -> Versions:
    """What was told."""
    return Counter((frame["resource"].partition("/")[2], frame["data"]["seq"]) for frame in frames)


def _health(mode: str, status: Mapping[str, Any], findings: Mapping[str, Any]) -> Health:
    named = {name: findings[name] for name in ("frames", "missing", "disordered", "p99_ms")}
    return Health(mode, status["fewest"], status["most"], **named)
