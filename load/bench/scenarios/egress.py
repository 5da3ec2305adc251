"""`egress`: what one push server makes Kafka send."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Final

from infra.cluster.deadline import until
from load.bench.figures import Figure, Figures
from load.bench.plan import Plan, numbered
from load.bench.rig import Rig
from load.bench.scenario import Scenario
from load.bench.server import Server, serving
from load.bench.specimen import VALUE_BYTES
from load.bench.usage import read_bytes

_PER_S: Final = 2500
_BUSY_PER_S: Final = 10_000
_LOOK_EVERY_S: Final = 0.05


class Egress(Scenario):
    """Nobody watches: all that the server reads is what Kafka sends it, and what this program asks."""

    name = "egress"
    what = "records of 200 bytes and their headers on 12 partitions: at 2 500/s, at 10 000/s, many at once, and none"
    figures = (
        Figure("paced_bytes", "bytes from Kafka for a record, at 2 500/s", "B"),
        Figure("at_once_bytes", "bytes from Kafka for a record, many at once", "B"),
        Figure("idle_bytes_per_s", "bytes/s from Kafka when nothing happens", "B/s"),
        Figure("paced_cpu_us", "the server's CPU of a record, at 2 500/s", "µs"),
        Figure("busy_cpu_us", "the server's CPU of a record, at 10 000/s", "µs"),
        Figure("at_once_cpu_us", "the server's CPU of a record, many at once", "µs"),
    )

    async def runs(self, rig: Rig) -> AsyncGenerator[Figures, None]:
        """One run is fifteen seconds."""
        ids, ground = numbered(rig.size(5000, 100)), await rig.ground("stocks")
        topic = ground.topic("stocks")
        paced, busy = Plan(ids, rig.size(12_500, 200)), Plan(ids, rig.size(30_000, 200))
        at_once = Plan(ids, rig.size(100_000, 500))
        await rig.load(topic, ids)
        async with serving(ground) as server:
            while True:
                before = read_bytes(server.pid)
                await asyncio.sleep(rig.size(4, 1))
                idle = (read_bytes(server.pid) - before) / rig.size(4, 1)
                slowly = await _read(server, paced, lambda: rig.publisher.paced(topic, paced, _PER_S))
                busily = await _read(server, busy, lambda: rig.publisher.paced(topic, busy, _BUSY_PER_S))
                quickly = await _read(server, at_once, lambda: rig.publisher.at_once(topic, at_once))
                yield {
                    "idle_bytes_per_s": idle,
                    "value_bytes": VALUE_BYTES,
                    **{f"paced_{key}": value for key, value in slowly.items()},
                    **{f"busy_{key}": value for key, value in busily.items()},
                    **{f"at_once_{key}": value for key, value in quickly.items()},
                }


async def _read(server: Server, plan: Plan, publish: Callable[[], Awaitable[object]]) -> Figures:
    wanted = (await server.totals())["records_total"] + plan.changes
    read, used = read_bytes(server.pid), server.usage()
    await publish()

    async def done() -> bool:
        return (await server.totals())["records_total"] >= wanted

    await until(done, f"{plan.changes} records are read", every_s=_LOOK_EVERY_S)
    return {
        "records": plan.changes,
        "bytes": (read_bytes(server.pid) - read) / plan.changes,
        "cpu_us": (server.usage().cpu_s - used.cpu_s) * 1e6 / plan.changes,
    }
