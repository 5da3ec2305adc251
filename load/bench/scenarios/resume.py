"""`resume`: everybody comes back at once."""

from collections.abc import AsyncGenerator
from typing import Final

from load.bench.figures import Figure, Figures, at_most
from load.bench.ground import Ground
from load.bench.plan import Plan, numbered
from load.bench.rig import Rig
from load.bench.scenario import Scenario, staged, target_of
from load.bench.scenarios.live import LIVE_ID, NICE, changing
from load.bench.server import Server
from load.bench.verdict import Broken
from load.bench.watchers import Group, Watchers, watching

_LIVE: Final = 100


class Resume(Scenario):
    """2 000 watchers of a collection reconnect at once, each with a cursor that is 1 000 changes old."""

    name = "resume"
    what = "2 000 watchers reconnect at once with cursors 1 000 changes old, while 100 others watch live"
    figures = (
        Figure("resumed_s", "until the last of them is served", "s", at_most(2)),
        Figure("live_p99_ms", "p99 of the live watchers meanwhile", "ms", at_most(50)),
        Figure("deliveries_per_s", "changes told a second", "/s"),
        Figure("cpu_us_per_delivery", "CPU of a change told", "µs"),
    )

    async def runs(self, rig: Rig) -> AsyncGenerator[Figures, None]:
        """One run is one reconnection of all."""
        ids, live = numbered(rig.size(5000, 100)), rig.size(_LIVE, 5)
        ground = await rig.ground("stocks", "book")
        await rig.load(ground.topic("stocks"), [LIVE_ID])
        await rig.load(ground.topic("book"), ids)
        async with staged(rig, ground) as (server, watchers), watching(NICE) as returning:
            group = await watchers.open(server.port, "ws", target_of("ws", f"stocks/{LIVE_ID}"), live, sample_every=1)
            while True:
                cursor = await _fall_behind(rig, ground, server, returning, ids[: rig.size(1000, 50)])
                plan = Plan([LIVE_ID], rig.size(200, 40))
                async with changing(rig, ground.topic("stocks"), group, live, plan):
                    figures = await _resume(server, returning, cursor, rig.size(2000, 10), rig.size(1000, 50))
                yield {**figures, "live_p99_ms": await _p99(group, figures)}


async def _fall_behind(rig: Rig, ground: Ground, server: Server, watchers: Watchers, ids: list[str]) -> str:
    """A cursor, after which each of these resources has changed."""
    group = await watchers.open(server.port, "ws", target_of("ws", "book", "?snapshot=false"), 1)
    await rig.publisher.at_once(ground.topic("book"), Plan(ids, len(ids)))
    await group.wait(len(ids))
    await group.close()
    return str(group.opened["cursor"])


async def _resume(server: Server, watchers: Watchers, cursor: str, count: int, behind: int) -> Figures:
    before = server.usage()
    target = target_of("ws", "book", f"?cursor={cursor}")
    group = await watchers.open(server.port, "ws", target, count, window=count)
    after = server.usage()
    await group.close()
    told, opened = count * behind, group.opened
    if opened["received"] != told or opened["resumed"] != count:
        raise Broken(f"{told} changes were to be told to {count} that resume: {dict(opened)}")
    seconds = (opened["synced_ns"] - opened["began_ns"]) / 1e9
    return {
        "told": opened["received"],
        "resumed_s": seconds,
        "began_ns": opened["began_ns"],
        "synced_ns": opened["synced_ns"],
        "deliveries_per_s": told / seconds,
        "cpu_us_per_delivery": (after.cpu_s - before.cpu_s) * 1e6 / told,
    }


async def _p99(group: Group, figures: Figures) -> float:
    findings = await group.judge(from_ns=int(figures["began_ns"]), until_ns=int(figures["synced_ns"]))
    p99_ms: float = findings.get("p99_ms", 0.0)
    return p99_ms
