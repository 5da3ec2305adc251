"""`quiet`: one record after a while of nothing."""

import asyncio
import random
import statistics
from collections.abc import AsyncGenerator
from typing import Final

from load.bench.figures import Figure, Figures, at_most
from load.bench.plan import Plan
from load.bench.rig import Rig
from load.bench.scenario import Scenario, staged, target_of
from load.bench.server import Server
from load.bench.verdict import check_counts, check_order
from load.bench.watchers import Group

_ID: Final = "S0"


class Quiet(Scenario):
    """One watcher of a topic of 12 partitions, on which little happens."""

    name = "quiet"
    what = "a record every 0.15–0.35 s on a topic of 12 partitions, one watcher; and nothing at all"
    figures = (
        Figure("p50_ms", "p50 from Kafka's acknowledgement to the socket", "ms", at_most(1.5)),
        Figure("latest_ms", "the latest of them", "ms"),
        Figure("published_p50_ms", "p50 from publishing to the socket", "ms"),
        Figure("idle_core_percent", "a core's share of an idle server", "%", at_most(1)),
    )

    async def runs(self, rig: Rig) -> AsyncGenerator[Figures, None]:
        """One run is five seconds of nothing, and then 40 records."""
        ground = await rig.ground("stocks")
        await rig.load(ground.topic("stocks"), [_ID])
        async with staged(rig, ground) as (server, watchers):
            group = await watchers.open(server.port, "ws", target_of("ws", f"stocks/{_ID}"), 1, sample_every=1)
            while True:
                idle = await _idle(server, rig.size(5, 1))
                yield {**idle, **await _now_and_then(rig, ground.topic("stocks"), group, rig.size(40, 5))}


async def _idle(server: Server, seconds: float) -> Figures:
    before = server.usage()
    await asyncio.sleep(seconds)
    after = server.usage()
    return {"idle_core_percent": (after.cpu_s - before.cpu_s) * 100 / (after.at_s - before.at_s)}


async def _now_and_then(rig: Rig, topic: str, group: Group, count: int) -> Figures:
    await group.begin()
    plan, acknowledged = Plan([_ID], count), {}
    for step in plan:
        # At no steady pace: it might fall in step with how long the broker holds an empty fetch.
        await asyncio.sleep(random.uniform(0.15, 0.35))
        acknowledged[step.seq] = await rig.publisher.one(topic, step)
    check_counts(await group.wait(1), deliveries=count, elided=0, connections=1, ends=1)
    findings = await group.judge(arrivals=True)
    check_order(findings, elided=0)
    delays = [(arrived - acknowledged[int(seq)]) / 1e6 for seq, arrived in findings["arrived_ns"].items()]
    return {
        "records": count,
        "p50_ms": statistics.median(delays),
        "latest_ms": max(delays),
        "published_p50_ms": findings["p50_ms"],
    }
