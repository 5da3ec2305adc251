"""`connect`: how fast watchers can come."""

from collections.abc import AsyncGenerator
from typing import Final

from infra.cluster.deadline import until
from load.bench.figures import Figure, Figures, Target, at_least
from load.bench.frame import handshake_answer
from load.bench.rig import Rig
from load.bench.scenario import Scenario, staged, target_of
from load.bench.server import Server

_ID: Final = "S0"
_WINDOW: Final = 200
_TARGETS: Final[dict[str, Target]] = {"ws": at_least(6000, then=10_000), "sse": at_least(10_000)}


class Connect(Scenario):
    """3 000 watchers come, at most 200 of them at a time on their way, and each is told a state."""

    def __init__(self, kind: str) -> None:
        self.name = f"connect-{kind}"
        self.what = f"handshakes over {kind.upper()}, with the state of one resource and `synced`"
        self.figures = (
            Figure("per_s", "handshakes/s", "/s", _TARGETS[kind], floor="floor_per_s"),
            Figure("cpu_us", "CPU of a handshake", "µs", floor="floor_cpu_us"),
            Figure("core", "the server's core in use"),
        )
        self._kind = kind

    async def runs(self, rig: Rig) -> AsyncGenerator[Figures, None]:
        """One run is 3 000 handshakes."""
        count, answer = rig.size(3000, 50), handshake_answer(self._kind)
        ground = await rig.ground("stocks")
        await rig.load(ground.topic("stocks"), [_ID])
        async with staged(rig, ground) as (server, watchers):
            while True:
                floor = await rig.floor.handshakes(watchers, self._kind, answer, count, _WINDOW)
                before = server.usage()
                group = await watchers.open(
                    server.port, self._kind, target_of(self._kind, f"stocks/{_ID}"), count, window=_WINDOW
                )
                after = server.usage()
                await group.close()
                await _until_nobody_watches(server)
                seconds = (group.opened["synced_ns"] - group.opened["began_ns"]) / 1e9
                yield {
                    "connections": count,
                    "per_s": count / seconds,
                    "cpu_us": (after.cpu_s - before.cpu_s) * 1e6 / count,
                    "core": (after.cpu_s - before.cpu_s) / (after.at_s - before.at_s),
                    "floor_per_s": floor.per_s,
                    "floor_cpu_us": floor.cpu_us,
                }


async def _until_nobody_watches(server: Server) -> None:
    async def gone() -> bool:
        return not (await server.totals())["connections"]

    await until(gone, "the server has seen all of them leave")
