"""The services as they are run, for strangers to speak to: over a Kafka in memory, and saying nothing but errors."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from infra.cluster.service import Service
from tests.support.broker import InMemoryBroker
from tests.support.client import Http, Writer
from tests.support.fleet import Fleet

MAX_MESSAGE_BYTES: Final = 20_000
_QUIET: Final = {
    "WATCHROUTE_LOG_LEVEL": "error",
    "WATCHROUTE_PUSHSERVER_BOOKMARK_INTERVAL_S": "60",
    "WATCHROUTE_PUSHSERVER_MAX_MESSAGE_BYTES": str(MAX_MESSAGE_BYTES),
}
_COLLECTIONS: Final[dict[str, dict[str, Any]]] = {"items": {"modes": ["state", "log"], "history_records": 100}}


@dataclass(frozen=True)
class Place:
    """A push server and a producer."""

    server: Service
    producer: Service

    def trouble(self, service: Service) -> str:
        """What went wrong in a service, if something did: it ended, or wrote an error."""
        if not service.running:
            return f"{service.name} ended: {service.log_tail()}"
        return service.log_tail() if service.log.stat().st_size else ""

    async def serves_on(self) -> None:
        """A write is acknowledged and read; AssertionError where it isn't."""
        async with Writer(self.producer.url) as writer, Http(self.server.url) as reader:
            written = await writer.put("items/honest", "value")
            answer = await reader.get(f"/v1/items/honest?at_least={written.cursor}")
            assert (answer.status, answer.json()) == (200, "value")


@asynccontextmanager
async def opened() -> AsyncIterator[Place]:
    """Both services, ready, with a few resources; strangers can't make them hold much."""
    with TemporaryDirectory() as folder:
        async with InMemoryBroker() as broker:
            fleet = Fleet(broker, Path(folder), _COLLECTIONS, servers=1)
            for service in fleet.services:
                service.variables |= _QUIET if service.kind == "pushserver" else {"WATCHROUTE_LOG_LEVEL": "error"}
            async with fleet:
                place = Place(fleet.servers[0], fleet.producer)
                async with Writer(place.producer.url) as writer:
                    await writer.put_each([f"items/{name}" for name in ("a", "b", "café", "asked")], {"price": 1.5})
                await place.serves_on()
                yield place
