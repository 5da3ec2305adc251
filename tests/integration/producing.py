"""Publishers over the broker of the run, and what is then in the log."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from services.producer.publisher import Publisher
from services.producer.settings import ProducerSettings
from shared.catalog import Catalog, CollectionSettings
from shared.kafka import KafkaSettings


def catalog_of(**topics: str | dict[str, Any]) -> Catalog:
    """Collections by name: the topic, or all settings."""
    tables = {name: {"topic": table} if isinstance(table, str) else table for name, table in topics.items()}
    return Catalog({name: CollectionSettings(**table) for name, table in tables.items()})


@asynccontextmanager
async def publishing(bootstrap: str, catalog: Catalog, **settings: Any) -> AsyncIterator[Publisher]:
    """A publisher, started whether or not Kafka is there."""
    async with Publisher(KafkaSettings(bootstrap=bootstrap), catalog, ProducerSettings(**settings)) as publisher:
        yield publisher
