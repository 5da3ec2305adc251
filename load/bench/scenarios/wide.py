"""`wide`: everybody watches something else."""

from collections.abc import AsyncGenerator
from typing import Final

from load.bench.figures import Figure, Figures, at_most
from load.bench.frame import data_frame
from load.bench.plan import Plan, numbered
from load.bench.rig import Rig
from load.bench.scenario import Scenario, staged, target_of
from load.bench.trial import deliver

_PER_S: Final = 2500
_FLOOR_PER_S: Final = 0.5


class Wide(Scenario):
    """5 000 watchers of 5 000 resources, 2 500 changes a second over all."""

    name = "wide"
    what = "5 000 watchers of 5 000 resources, 2 500 changes/s over all"
    figures = (
        Figure("ratio", "CPU of a delivery", "× floor", at_most(14, then=8)),
        Figure("cpu_us_per_delivery", "CPU of a delivery", "µs", floor="floor_cpu_us"),
        Figure("p99_ms", "p99 from publishing to client", "ms", at_most(12)),
        Figure("p50_ms", "p50 from publishing to client", "ms"),
        Figure("core", "the server's core in use"),
        Figure("readers_core", "the readers' core in use"),
        Figure("others_cores", "cores used by broker, publisher and all else"),
    )

    async def runs(self, rig: Rig) -> AsyncGenerator[Figures, None]:
        """One run is six seconds of changes."""
        ids, frame = numbered(rig.size(5000, 100)), data_frame("ws")
        ground = await rig.ground("stocks")
        topic, plan = ground.topic("stocks"), Plan(ids, rig.size(15_000, 500))
        await rig.load(topic, ids)
        async with staged(rig, ground) as (server, watchers):
            target = target_of("ws", "stocks/R{n}")
            group = await watchers.open(server.port, "ws", target, len(ids), sample_every=5)
            while True:
                # At the same rate of sends in all, in rounds: one after another would measure waking up a reader.
                floor = await rig.floor.sends(
                    watchers, frame, len(ids), rounds=rig.size(3, 2), per_s=rig.size(0, 1) or _FLOOR_PER_S
                )
                figures = await deliver(
                    server,
                    group,
                    plan,
                    lambda: rig.publisher.paced(topic, plan, _PER_S),
                    readers=len(ids),
                    each_watches_all=False,
                )
                ratio = figures["cpu_us_per_delivery"] / floor.cpu_us
                yield {**figures, "floor_cpu_us": floor.cpu_us, "ratio": ratio}
