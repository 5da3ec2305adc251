"""`paced`: many watch one resource that changes now and then."""

from collections.abc import AsyncGenerator
from typing import Final

from load.bench.figures import Figure, Figures, at_most
from load.bench.frame import data_frame
from load.bench.plan import Plan
from load.bench.rig import Rig
from load.bench.scenario import Scenario, staged, target_of
from load.bench.trial import deliver

_ID: Final = "S0"
_PER_S: Final = 50


class Paced(Scenario):
    """1 000 watchers of one resource, 50 changes a second."""

    figures = (
        Figure("ratio", "CPU of a delivery", "× floor", at_most(1.35, then=1.2)),
        Figure("cpu_us_per_delivery", "CPU of a delivery", "µs", floor="floor_cpu_us"),
        Figure("p99_ms", "p99 from publishing to client", "ms", floor="floor_p99_ms"),
        Figure("core", "the server's core in use"),
        Figure("readers_core", "the readers' core in use"),
        Figure("others_cores", "cores used by broker, publisher and all else"),
    )

    def __init__(self, kind: str) -> None:
        self.name = f"paced-{kind}"
        self.what = f"1 000 watchers of one resource over {kind.upper()}, 50 changes/s"
        self._kind = kind

    async def runs(self, rig: Rig) -> AsyncGenerator[Figures, None]:
        """One run is six seconds of changes."""
        readers, frame = rig.size(1000, 20), data_frame(self._kind)
        ground = await rig.ground("stocks")
        topic, plan = ground.topic("stocks"), Plan([_ID], rig.size(300, 10))
        await rig.load(topic, [_ID])
        async with staged(rig, ground) as (server, watchers):
            target = target_of(self._kind, f"stocks/{_ID}")
            group = await watchers.open(server.port, self._kind, target, readers, sample_every=10)
            while True:
                floor = await rig.floor.sends(
                    watchers, frame, readers, rounds=rig.size(150, 5), per_s=_PER_S, sample_every=10
                )
                figures = await deliver(
                    server, group, plan, lambda: rig.publisher.paced(topic, plan, _PER_S), readers=readers
                )
                yield {
                    **figures,
                    "floor_cpu_us": floor.cpu_us,
                    "floor_p99_ms": floor.p99_ms,
                    "ratio": figures["cpu_us_per_delivery"] / floor.cpu_us,
                }
