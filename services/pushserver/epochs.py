"""Which log each topic is now, as Kafka says when it is asked."""

import asyncio
import time
from typing import Any, Final

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from services.pushserver.channel import Channel
from shared.catalog import Catalog, Collection
from shared.identity import Identity, read_identities
from shared.telemetry import logger

log = logger("source")
_MISSING_S: Final = 0.5


class Epochs:
    """The identities of the catalogue's topics, as of the last answer."""

    def __init__(self, catalog: Catalog, check_s: float) -> None:
        self._catalog = catalog
        self._check_s = check_s
        self._asking = asyncio.Lock()
        self._identities: dict[str, Identity] = {}
        self._epochs: dict[str, bytes] = {}
        self._asked_at = 0.0

    async def follow(self, consumer: AIOKafkaConsumer) -> None:
        """Ask again and again until cancelled: beside the reading, as a broker that hangs may keep an answer back.

        A topic that is missing keeps the server from being ready, and may be made at any moment: it is asked for often.
        """
        while True:
            complete = all(self.identity(collection) for collection in self._catalog)
            await asyncio.sleep(self._check_s if complete else min(self._check_s, _MISSING_S))
            try:
                await self.ask(consumer)
            except (TimeoutError, KafkaError, OSError) as error:
                log.warning("kafka doesn't tell its topics", error=repr(error))

    async def ask(self, consumer: AIOKafkaConsumer) -> None:
        """Ask Kafka; raises KafkaError."""
        asked_at = time.monotonic()
        client: Any = consumer._client  # noqa: SLF001 -- a client of our own would be one more connection to each broker
        self._identities = await read_identities(client, [collection.topic for collection in self._catalog])
        self._epochs = {
            collection.name: identity.epoch(collection.settings.generation)
            for collection in self._catalog
            if (identity := self.identity(collection)) is not None
        }
        self._asked_at = asked_at

    async def current(self, consumer: AIOKafkaConsumer, channel: Channel) -> bytes:
        """The epoch of a collection, asked for now, empty when its topic is gone; raises KafkaError."""
        since = time.monotonic()
        async with self._asking:
            # Whoever waited here shares an answer that was asked for after they came.
            if self._asked_at <= since:
                await self.ask(consumer)
        return self.of(channel.collection) if self.identity(channel.collection) else b""

    def identity(self, collection: Collection) -> Identity | None:
        """What Kafka said of a collection's topic, None when there is none."""
        return self._identities.get(collection.topic)

    def of(self, collection: Collection) -> bytes:
        """The epoch of a collection whose topic exists."""
        return self._epochs[collection.name]

    def partitions(self, collection: Collection) -> int:
        """The partition count of a collection whose topic exists."""
        return self._identities[collection.topic].partitions
