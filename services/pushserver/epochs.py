"""Which log each topic is now, as Kafka says when it is asked."""

import asyncio
import time
from typing import Any

from aiokafka import AIOKafkaConsumer

from services.pushserver.channel import Channel
from shared.catalog import Catalog, Collection
from shared.identity import Identity, read_identities


class Epochs:
    """The identities of the catalogue's topics, as of the last answer; `wanted` asks for another one soon."""

    def __init__(self, catalog: Catalog, check_s: float) -> None:
        self._catalog = catalog
        self._check_s = check_s
        self._asking = asyncio.Lock()
        self._identities: dict[str, Identity] = {}
        self._asked_at = 0.0
        self.wanted = False

    def due(self, now: float) -> bool:
        """Whether it is time to ask again; `now` is monotonic."""
        return self.wanted or now - self._asked_at >= self._check_s

    async def ask(self, consumer: AIOKafkaConsumer) -> None:
        """Ask Kafka; raises KafkaError."""
        asked_at = time.monotonic()
        self.wanted = False
        client: Any = consumer._client  # noqa: SLF001 -- a client of our own would be one more connection to each broker
        self._identities = await read_identities(client, [collection.topic for collection in self._catalog])
        self._asked_at = asked_at

    async def current(self, consumer: AIOKafkaConsumer, channel: Channel) -> bytes:
        """The epoch of a collection, asked for now, empty when its topic is gone; raises KafkaError."""
        since = time.monotonic()
        async with self._asking:
            # Whoever waited here shares an answer that was asked for after they came.
            if self._asked_at <= since:
                await self.ask(consumer)
        epoch = self.of(channel.collection) if self.identity(channel.collection) else b""
        self.wanted = self.wanted or epoch != channel.epoch
        return epoch

    def identity(self, collection: Collection) -> Identity | None:
        """What Kafka said of a collection's topic, None when there is none."""
        return self._identities.get(collection.topic)

    def of(self, collection: Collection) -> bytes:
        """The epoch of a collection whose topic exists."""
        return self._identities[collection.topic].epoch(collection.settings.generation)

    def partitions(self, collection: Collection) -> int:
        """The partition count of a collection whose topic exists."""
        return self._identities[collection.topic].partitions
