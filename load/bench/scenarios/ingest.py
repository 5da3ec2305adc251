"""`ingest`: how fast records can be read when nobody watches."""

import time
from collections.abc import AsyncGenerator

from infra.cluster.deadline import until
from load.bench.figures import Figure, Figures
from load.bench.plan import Plan, numbered
from load.bench.rig import Rig
from load.bench.scenario import Scenario
from load.bench.server import Server, serving

_LOOK_EVERY_S = 0.05


class Ingest(Scenario):
    """200 000 records wait in Kafka when the server, which serves already, gets to run."""

    name = "ingest"
    what = "200 000 records of 10 000 resources are read by a server that serves, with nobody watching"
    figures = (
        Figure("records_per_s", "records/s", "/s"),
        Figure("cpu_us_per_record", "CPU of a record", "µs"),
        Figure("others_server_core", "share of its core that others used"),
    )

    async def runs(self, rig: Rig) -> AsyncGenerator[Figures, None]:
        """One run is 200 000 records, written while the server is stopped in its tracks."""
        ids = numbered(rig.size(10_000, 100))
        ground = await rig.ground("stocks")
        topic, plan = ground.topic("stocks"), Plan(ids, rig.size(200_000, 1000))
        await rig.load(topic, ids)
        async with serving(ground) as server:
            while True:
                begun = (await server.totals())["records_total"]
                server.service.freeze()
                try:
                    await rig.publisher.at_once(topic, plan)
                finally:
                    server.service.thaw()
                yield await _read(server, begun, plan.changes)


async def _read(server: Server, begun: float, records: int) -> Figures:
    began, before = time.monotonic(), server.usage()

    async def read() -> bool:
        return (await server.totals())["records_total"] - begun >= records

    await until(read, f"{records} records are read", every_s=_LOOK_EVERY_S)
    seconds, after = time.monotonic() - began, server.usage()
    cpu_s = after.cpu_s - before.cpu_s
    return {
        "records": records,
        "records_per_s": records / seconds,
        "cpu_us_per_record": cpu_s * 1e6 / records,
        "others_server_core": (after.server_core_s - before.server_core_s - cpu_s) / seconds,
    }
