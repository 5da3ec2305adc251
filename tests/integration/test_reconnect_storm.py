"""Five thousand watchers come at once to the one push server that is left, each with a cursor."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from infra.cluster.deadline import until
from load.bench.cores import SERVER_CORE, raise_file_limit
from load.bench.crowd.request import upgrade
from load.bench.ground import Ground
from load.bench.plan import Plan, numbered
from load.bench.publisher import Publisher, publishing
from load.bench.server import Server, serving
from load.bench.usage import forget_peak, peak_rss_bytes
from load.bench.watchers import Watchers, watching
from tests.support.broker import Broker
from tests.support.storm_crowd import StormCrowd

WATCHERS: Final = 5000
KINDS: Final = {"ws": "/v1/feed/ws", "sse": "/v1/feed/stream"}
OF_EACH: Final = WATCHERS // len(KINDS)
MISSED: Final = 20
"""Changes that each of them has to be told, since its cursor."""
PING_EVERY_S: Final = 0.002
FEWEST_PINGS: Final = 20
MOST_PAUSE_MS: Final = 100
TRIES: Final = 3
"""The machine has other things to do: what was fast once can be fast."""
BYTES_EACH: Final = 40 * 1024
"""Of the server's memory for each watcher, at the worst moment: what is on its way, and the HTTP that is let go."""
TOLD_WITHIN_S: Final = 20
LISTENING: Final = "0A"
PING: Final = bytes.fromhex("898000000000")
"""Masked with zeros, and empty."""
PONG: Final = bytes.fromhex("8a00")


@dataclass(frozen=True)
class Storm:
    """What came of one: the state of each kind, how long pongs took, and by how much the server grew."""

    kinds: Mapping[str, Mapping[str, Any]]
    pongs_ms: list[float]
    grown_bytes: int

    @property
    def longest_ms(self) -> float:
        """The longest that the event loop was away, and a little more."""
        return max(self.pongs_ms)


class Prober:
    """A WebSocket that was there before, and pings without pause."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> "Prober":
        """Watch something that never changes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(upgrade("/v1/feed/nothing/ws"))
        await reader.readuntil(b'"event":"synced"')
        return cls(reader, writer)

    async def ping(self, over: asyncio.Event) -> list[float]:
        """How long each pong took, in milliseconds."""
        took = []
        while not over.is_set():
            began = time.perf_counter()
            self._writer.write(PING)
            await self._reader.readuntil(PONG)
            took.append(1000 * (time.perf_counter() - began))
            await asyncio.sleep(PING_EVERY_S)
        return took

    def close(self) -> None:
        """Hang up."""
        self._writer.transport.abort()


class Shore:
    """A push server, and what storms against it."""

    def __init__(self, server: Server, cursor: str) -> None:
        self.server = server
        self._targets = {kind: f"{path}?cursor={cursor}" for kind, path in KINDS.items()}

    async def storm(self) -> Storm:
        """All at once: what each says is there before the server may go on; returns when each has all it missed."""
        prober = await Prober.open(self.server.port)
        before = self.server.rss_bytes()
        forget_peak(self.server.pid)
        async with StormCrowd(self.server.port, self._targets, OF_EACH) as crowd:
            await until(self._all_accepted, "all are accepted", within_s=20, every_s=0.01)
            self.server.service.freeze()
            await crowd.speak()
            over = asyncio.Event()
            self.server.service.thaw()
            pinging = asyncio.create_task(prober.ping(over))
            kinds = await crowd.told(MISSED, TOLD_WITHIN_S)
            over.set()
            pongs = await pinging
        prober.close()
        return Storm(kinds, pongs, peak_rss_bytes(self.server.pid) - before)

    async def _all_accepted(self) -> bool:
        return waiting(self.server.port) == 0


def waiting(port: int) -> int:
    """How many connections wait to be accepted there."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, _, state, queues, *_ = line.split()
        if state == LISTENING and local.endswith(f":{port:04X}"):
            return int(queues.partition(":")[2], 16)
    raise LookupError(port)


@asynccontextmanager
async def shore(broker: Broker, folder: Path) -> AsyncIterator[Shore]:
    """A server with a core of its own, and a cursor from which on it has changes to tell."""
    ground = Ground(broker, folder, ["feed"], SERVER_CORE)
    await ground.make()
    async with publishing(broker.bootstrap) as publisher, serving(ground) as server, watching() as watchers:
        yield Shore(server, await cursor_before(publisher, ground, server, watchers))


async def cursor_before(publisher: Publisher, ground: Ground, server: Server, watchers: Watchers) -> str:
    """Write one change of each resource; the cursor is of before."""
    topic, ids = ground.topic("feed"), numbered(MISSED)
    await publisher.at_once(topic, Plan(ids, len(ids)), last=False)
    early = await watchers.open(server.port, "ws", KINDS["ws"], 1)
    await early.begin()
    await publisher.at_once(topic, Plan(ids, len(ids)))
    await early.wait(len(ids))
    await early.close()
    return str(early.opened["cursor"])


async def test_five_thousand_who_come_at_once_miss_nothing_and_the_loop_is_never_away_for_a_tenth_of_a_second(
    broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raise_file_limit()
    storms: list[Storm] = []
    async with shore(broker, tmp_path) as coast:
        while len(storms) < TRIES and not (storms and storms[-1].longest_ms < MOST_PAUSE_MS):
            storms.append(await coast.storm())
    for storm in storms:
        for status in storm.kinds.values():
            assert status["synced"] == status["resumed"] == OF_EACH
            assert status["fewest"] == status["most"] == MISSED
        assert storm.grown_bytes <= WATCHERS * BYTES_EACH
    waits = ", ".join(f"{storm.longest_ms:.0f} ms of {len(storm.pongs_ms)} pings" for storm in storms)
    with capsys.disabled():
        sys.stdout.write(f"\nstorm of {WATCHERS}: longest wait {waits}; {storms[0].grown_bytes / 2**20:.0f} MB\n")
    assert min(storm.longest_ms for storm in storms) < MOST_PAUSE_MS, waits
    assert all(len(storm.pongs_ms) >= FEWEST_PINGS for storm in storms)
