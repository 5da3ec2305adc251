"""`snapshot`: a few want everything while many watch live."""

from collections.abc import AsyncGenerator
from typing import Final

from load.bench.figures import Figure, Figures, at_most
from load.bench.plan import Plan, numbered
from load.bench.rig import Rig
from load.bench.scenario import Scenario, staged, target_of
from load.bench.scenarios.live import LIVE_ID, NICE, changing
from load.bench.server import Server
from load.bench.usage import forget_peak, peak_rss_bytes
from load.bench.verdict import Broken
from load.bench.watchers import Watchers, watching

_MB: Final = 1024 * 1024


class Snapshot(Scenario):
    """A collection of 100 000 resources to 20 watchers, while 500 others watch live."""

    name = "snapshot"
    what = "a collection of 100 000 resources to 20 watchers at once, while 500 others watch live"
    figures = (
        Figure("p99_ratio", "p99 of the live watchers", "× without", at_most(2)),
        Figure("p99_ms", "p99 of the live watchers", "ms", floor="alone_p99_ms"),
        Figure("growth_mb", "memory more than before, at the most", "MB", at_most(32)),
        Figure("snapshot_s", "until the last snapshot is complete", "s"),
        Figure("deliveries_per_s", "resources told a second", "/s"),
    )

    async def runs(self, rig: Rig) -> AsyncGenerator[Figures, None]:
        """One run is live watching alone, and then again beside the snapshots."""
        ids, live = numbered(rig.size(100_000, 3000)), rig.size(500, 10)
        ground = await rig.ground("stocks", "book")
        topic, plan = ground.topic("stocks"), Plan([LIVE_ID], rig.size(200, 30))
        await rig.load(topic, [LIVE_ID])
        await rig.load(ground.topic("book"), ids)
        async with staged(rig, ground) as (server, watchers), watching(NICE) as greedy:
            group = await watchers.open(server.port, "ws", target_of("ws", f"stocks/{LIVE_ID}"), live, sample_every=5)
            while True:
                async with changing(rig, topic, group, live, plan):
                    pass
                alone = await group.judge()
                async with changing(rig, topic, group, live, plan):
                    figures = await _snapshot(server, greedy, rig.size(20, 3), len(ids))
                beside = await group.judge(from_ns=int(figures["began_ns"]), until_ns=int(figures["synced_ns"]))
                p99_ms, alone_p99_ms = beside.get("p99_ms", 0.0), alone["p99_ms"]
                yield {
                    **figures,
                    "p99_ms": p99_ms,
                    "alone_p99_ms": alone_p99_ms,
                    "p99_ratio": p99_ms / alone_p99_ms,
                    "longest_ms": beside["longest_ms"],
                }


async def _snapshot(server: Server, watchers: Watchers, count: int, resources: int) -> Figures:
    before = server.rss_bytes()
    forget_peak(server.pid)
    group = await watchers.open(server.port, "ws", target_of("ws", "book"), count, window=count)
    growth = peak_rss_bytes(server.pid) - before
    await group.close()
    opened = group.opened
    if opened["received"] != count * resources or opened["fewest"] != resources:
        raise Broken(f"{count} snapshots of {resources} resources: {dict(opened)}")
    seconds = (opened["synced_ns"] - opened["began_ns"]) / 1e9
    return {
        "told": opened["received"],
        "growth_mb": growth / _MB,
        "snapshot_s": seconds,
        "began_ns": opened["began_ns"],
        "synced_ns": opened["synced_ns"],
        "deliveries_per_s": count * resources / seconds,
    }
