"""The push server that is measured: a process as the operator runs it, alone on its core."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from infra.cluster.service import Service
from load.bench.cores import pin
from load.bench.ground import Ground
from load.bench.usage import Usage, rss_bytes, usage_of

_READY_WITHIN_S = 180


class Server:
    """A running push server; `ready_s` is how long it took from its launch until it was ready."""

    def __init__(self, service: Service, ready_s: float) -> None:
        self.service = service
        self.ready_s = ready_s

    @property
    def port(self) -> int:
        """Where readers go."""
        return self.service.port

    @property
    def pid(self) -> int:
        """Its process."""
        return self.service.process.pid

    def usage(self) -> Usage:
        """What it has used so far."""
        return usage_of(self.pid)

    def rss_bytes(self) -> int:
        """Its resident memory."""
        return rss_bytes(self.pid)

    async def totals(self) -> Mapping[str, float]:
        """Its metrics by name (without `watchroute_`), those with labels summed up."""
        totals: dict[str, float] = {}
        async with aiohttp.ClientSession() as session, session.get(f"{self.service.admin_url}/metrics") as answer:
            text = await answer.text()
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                name = sample.name.removeprefix("watchroute_")
                totals[name] = totals.get(name, 0.0) + sample.value
        return totals


@asynccontextmanager
async def serving(ground: Ground, **settings: Any) -> AsyncIterator[Server]:
    """Launch a push server, and give it once it is ready; `settings` are of its `[pushserver]` table."""
    environment = {f"WATCHROUTE_PUSHSERVER_{name.upper()}": str(setting) for name, setting in settings.items()}
    service = Service("pushserver", ground.folder, ground.config, {"WATCHROUTE_LOG_LEVEL": "warning", **environment})
    try:
        began = time.monotonic()
        service.launch()
        if ground.server_core is not None:
            pin(service.process.pid, ground.server_core)
        await service.wait_ready(_READY_WITHIN_S)
        yield Server(service, time.monotonic() - began)
    finally:
        await service.shut()
