"""`collection`: many watch everything."""

from collections.abc import AsyncGenerator
from typing import Final

from load.bench.figures import Figure, Figures, at_least
from load.bench.frame import data_frame
from load.bench.ground import Ground
from load.bench.plan import Plan, numbered
from load.bench.rig import Rig
from load.bench.scenario import Scenario, staged, target_of
from load.bench.server import Server
from load.bench.trial import deliver
from load.bench.watchers import Watchers

_PER_S: Final = 2500


class Collection(Scenario):
    """200 watchers of a collection: 2 500 changes a second in state mode, then as many as go in log mode."""

    name = "collection"
    what = "200 watchers of a collection, 2 500 changes/s; then 10 000 changes at once, in log mode"
    figures = (
        Figure("deliveries_per_s", "deliveries/s, at once", "/s", at_least(1_000_000), floor="floor_per_s"),
        Figure("paced_core", "the server's core in use at 2 500 changes/s"),
        Figure("paced_p99_ms", "p99 from publishing to client at 2 500 changes/s", "ms"),
        Figure("paced_cpu_us_per_delivery", "CPU of a delivery at 2 500 changes/s", "µs", floor="floor_cpu_us"),
        Figure("cpu_us_per_delivery", "CPU of a delivery, at once", "µs", floor="floor_cpu_us"),
        Figure("readers_core", "the readers' core in use"),
        Figure("others_cores", "cores used by broker, publisher and all else"),
    )

    async def runs(self, rig: Rig) -> AsyncGenerator[Figures, None]:
        """One run is four seconds of changes, and then as many at once."""
        ids = numbered(rig.size(2500, 50))
        ground = await rig.ground("feed")
        await rig.load(ground.topic("feed"), ids)
        async with staged(rig, ground) as (server, watchers):
            while True:
                floor = await rig.floor.sends(watchers, data_frame("ws"), rig.size(200, 10), rounds=rig.size(1500, 20))
                paced = await _deliver(rig, ground, server, watchers, ids, "state")
                yield {
                    **await _deliver(rig, ground, server, watchers, ids, "log"),
                    **{f"paced_{key}": figure for key, figure in paced.items()},
                    "floor_cpu_us": floor.cpu_us,
                    "floor_per_s": floor.per_s,
                }


async def _deliver(rig: Rig, ground: Ground, server: Server, watchers: Watchers, ids: list[str], mode: str) -> Figures:
    readers, plan, topic = rig.size(200, 10), Plan(ids, rig.size(10_000, 200)), ground.topic("feed")
    target = target_of("ws", "feed", f"?mode={mode}&snapshot=false")
    group = await watchers.open(server.port, "ws", target, readers, sample_every=rig.size(50, 5))
    publisher = rig.publisher
    figures = await deliver(
        server,
        group,
        plan,
        lambda: publisher.at_once(topic, plan) if mode == "log" else publisher.paced(topic, plan, _PER_S),
        readers=readers,
    )
    await group.close()
    return figures
