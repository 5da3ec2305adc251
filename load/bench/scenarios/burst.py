"""`burst`: many watch one resource that changes very often at once."""

from collections.abc import AsyncGenerator
from typing import Final

from load.bench.figures import Figure, Figures, at_least
from load.bench.frame import data_frame
from load.bench.plan import Plan
from load.bench.rig import Rig
from load.bench.scenario import Scenario, staged, target_of
from load.bench.trial import deliver

_ID: Final = "S0"
_LOG_TARGET: Final = at_least(5, then=10)


class Burst(Scenario):
    """1 000 watchers of one resource, 2 000 changes in one batch."""

    figures: tuple[Figure, ...] = (
        Figure("ratio", "deliveries/s", "× floor", _LOG_TARGET),
        Figure("deliveries_per_s", "deliveries/s", "/s", floor="floor_per_s"),
        Figure("settled_s", "until the last byte was there", "s"),
        Figure("elided", "values elided"),
        Figure("writes_per_delivery", "writes for a delivery"),
        Figure("cpu_us_per_delivery", "CPU of a delivery", "µs", floor="floor_cpu_us"),
        Figure("readers_core", "the readers' core in use"),
        Figure("others_cores", "cores used by broker, publisher and all else"),
    )

    def __init__(self, mode: str) -> None:
        self.name = f"burst-{mode}"
        self.what = f"1 000 watchers of one resource in {mode} mode, 2 000 changes at once"
        self._mode = mode

    async def runs(self, rig: Rig) -> AsyncGenerator[Figures, None]:
        """One run is one burst."""
        readers, frame = rig.size(1000, 20), data_frame("ws")
        collection = "feed" if self._mode == "log" else "stocks"
        ground = await rig.ground(collection)
        topic, plan = ground.topic(collection), Plan([_ID], rig.size(2000, 1000))
        await rig.load(topic, [_ID])
        async with staged(rig, ground) as (server, watchers):
            target = target_of("ws", f"{collection}/{_ID}", f"?mode={self._mode}")
            group = await watchers.open(server.port, "ws", target, readers, sample_every=50)
            while True:
                floor = await rig.floor.sends(watchers, frame, readers, rounds=rig.size(300, 20))
                figures = await deliver(
                    server, group, plan, lambda: rig.publisher.at_once(topic, plan), readers=readers
                )
                yield {
                    **figures,
                    "floor_cpu_us": floor.cpu_us,
                    "floor_per_s": floor.per_s,
                    "ratio": figures["deliveries_per_s"] / floor.per_s,
                }


class StateBurst(Burst):
    """The same in state mode, where values may be elided: how fast it settles is what counts."""

    figures = (
        Figure("settled_s", "until the last byte was there", "s"),
        *(figure._replace(target=None) for figure in Burst.figures if figure.key != "settled_s"),
    )
