"""`put`: the whole road, from a PUT to every client."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import aiohttp

from infra.cluster.service import Service
from load.bench.figures import Figure, Figures, at_most
from load.bench.ground import Ground
from load.bench.plan import Plan, Step
from load.bench.publisher import pace
from load.bench.rig import Rig
from load.bench.scenario import Scenario, staged, target_of
from load.bench.specimen import now_ns, value
from load.bench.trial import deliver

_ID: Final = "S0"
_PER_S: Final = 50
_JSON: Final = {"Content-Type": "application/json"}


class Put(Scenario):
    """`paced`, published by PUT to a producer service."""

    name = "put"
    what = "1 000 WebSockets of one resource, 50 PUTs/s to a producer service"
    figures = (
        Figure("p99_ms", "p99 from the beginning of the PUT to the client", "ms", at_most(10)),
        Figure("p50_ms", "p50 from the beginning of the PUT to the client", "ms"),
        Figure("cpu_us_per_delivery", "CPU of a delivery (push server)", "µs"),
        Figure("readers_core", "the readers' core in use"),
        Figure("others_cores", "cores used by broker, producer and all else"),
    )

    async def runs(self, rig: Rig) -> AsyncGenerator[Figures, None]:
        """One run is six seconds of changes."""
        readers, ground = rig.size(1000, 20), await rig.ground("stocks")
        plan = Plan([_ID], rig.size(300, 10))
        await rig.load(ground.topic("stocks"), [_ID])
        async with (
            _producing(ground) as url,
            staged(rig, ground) as (server, watchers),
            aiohttp.ClientSession() as session,
        ):

            async def put(step: Step) -> None:
                body = value(step.seq, now_ns(), last=step.last)
                async with session.put(url, data=body, headers=_JSON) as answer:
                    answer.raise_for_status()

            target = target_of("ws", f"stocks/{_ID}")
            group = await watchers.open(server.port, "ws", target, readers, sample_every=10)
            while True:
                yield await deliver(server, group, plan, lambda: pace(plan, _PER_S, put), readers=readers)


@asynccontextmanager
async def _producing(ground: Ground) -> AsyncIterator[str]:
    """A producer service; gives the URL of the resource."""
    service = Service("producer", ground.folder, ground.config, {"WATCHROUTE_LOG_LEVEL": "warning"})
    try:
        await service.start()
        yield f"{service.url}/v1/stocks/{_ID}"
    finally:
        await service.shut()
