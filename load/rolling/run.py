"""One run: a cluster, the watchers, the writes, what is done to them, and what came of it."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, NamedTuple

from infra.cluster.cluster import Cluster
from infra.cluster.deadline import until
from infra.cluster.kafka_jars import find_jars
from infra.cluster.plan import Plan
from load.bench.usage import rss_bytes
from load.rolling.crowd import Crowd
from load.rolling.figures import Outcome
from load.rolling.publisher import Publisher
from load.rolling.reload import next_certificate
from load.rolling.scale import Scale
from load.rolling.timeline import Sample, Timeline

_SAMPLE_EVERY_S: Final = 0.5
_CONVERGES_WITHIN_S: Final = 30
_BEFORE_S: Final = 5

Deed = Callable[[Cluster, Timeline, Scale], Awaitable[None]]
"""What is done to the cluster while they watch; it notes its windows in the timeline."""


class Run(NamedTuple):
    """What happened, and what it comes to."""

    timeline: Timeline
    outcome: Outcome
    door_bytes: float
    """By how much HAProxy's worker grew for each watcher, whose TLS it does: resident memory."""


async def run(folder: Path, scale: Scale, deed: Deed, tell: Callable[[str], None]) -> Run:
    """Do the deed, and judge; `folder` is for logs and data."""
    tell("Starting three brokers, two producers, the push servers and HAProxy ...")
    async with Cluster(folder, find_jars(), plan_of(folder, scale)) as cluster:
        timeline = Timeline()
        trust = ssl.create_default_context(cafile=str(cluster.door.ca))
        trust.load_verify_locations(next_certificate(folder) / "ca.pem")
        crowd = Crowd(cluster.door.port, trust, scale, timeline)
        publisher = Publisher(cluster.url, trust, scale.resources, scale.per_s)
        tell(f"{scale.watchers} watchers connect ...")
        before = _memory_bytes(cluster)
        await crowd.open()
        door_bytes = (_memory_bytes(cluster) - before) / scale.watchers
        tell("All are there. Now for it ...")
        try:
            async with published(publisher), _sampled(cluster, timeline):
                timeline.begin()
                await asyncio.sleep(_BEFORE_S)
                await deed(cluster, timeline, scale)
                await asyncio.sleep(scale.after_s)
                await crowd.all_there()
            await _converged(crowd, publisher)
            timeline.samples.append(await _sample(cluster, timeline))
            return Run(timeline, Outcome.of(timeline, crowd.judge(publisher.truth), scale), door_bytes)
        finally:
            await crowd.close()


def _memory_bytes(cluster: Cluster) -> int:
    return sum(rss_bytes(worker) for worker in cluster.door.workers())


def plan_of(folder: Path, scale: Scale) -> Plan:
    """The cluster of a run, whose logs and data go to `folder`."""
    server = {
        "DRAIN_WAIT_S": scale.drain_wait_s,
        "DRAIN_S": scale.drain_s,
        "RECONNECT_MS": int(1000 * scale.reconnect_s),
        "OVERLAP_MS": int(1000 * scale.overlap_s),
    }
    door = {
        "FRONT_CHECK_INTERVAL": "1s",
        "FRONT_HARD_STOP_AFTER": f"{scale.hard_stop_s:g}s",
        "FRONT_SOCKET": str(folder / "haproxy.sock"),
    }
    return Plan(
        config=scale.config,
        servers=scale.servers,
        server={f"WATCHROUTE_PUSHSERVER_{name}": f"{setting:g}" for name, setting in server.items()},
        door=door,
    )


@asynccontextmanager
async def published(publisher: Publisher) -> AsyncIterator[None]:
    """Have it write for as long as the block, and until each write is acknowledged."""
    over = asyncio.Event()
    publishing = asyncio.create_task(publisher.publish(over))
    try:
        yield
    finally:
        over.set()
        await publishing


@asynccontextmanager
async def _sampled(cluster: Cluster, timeline: Timeline) -> AsyncIterator[None]:
    async def sample() -> None:
        while True:
            timeline.samples.append(await _sample(cluster, timeline))
            await asyncio.sleep(_SAMPLE_EVERY_S)

    sampling = asyncio.create_task(sample())
    try:
        yield
    finally:
        sampling.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sampling


async def _sample(cluster: Cluster, timeline: Timeline) -> Sample:
    return Sample(timeline.now_s(), await cluster.door.sessions())


async def _converged(crowd: Crowd, publisher: Publisher) -> None:
    """Give everybody time to get the last writes; who doesn't is found by the judge."""

    async def converged() -> bool:
        return crowd.has_all(publisher.truth)

    with contextlib.suppress(Exception):
        await until(converged, "everybody has the newest", within_s=_CONVERGES_WITHIN_S, every_s=0.5)
