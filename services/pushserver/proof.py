"""Proof that a log was cut, without which nobody is told so."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.kafka import KafkaSettings
from shared.log_bounds import Bounds, read_bounds


class Proof:
    """What the leaders say of where logs begin and end, when a broker's word alone will not do."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._committed = kafka.isolation_level == "read_committed"
        self._asking = asyncio.Lock()
        self._found: dict[str, _Found] = {}

    async def cut(self, consumer: AIOKafkaConsumer, refused: Mapping[TopicPartition, int]) -> list[str]:
        """The topics whose logs don't have the positions that a broker has refused; raises as `bounds`."""
        topics = []
        for assigned, position in refused.items():
            bounds = (await self.bounds(consumer, assigned.topic)).get(assigned.partition)
            if bounds is None or not bounds.first <= position <= bounds.end:
                topics.append(assigned.topic)
        return topics

    async def bounds(self, consumer: AIOKafkaConsumer, topic: str) -> Mapping[int, Bounds]:
        """By partition; raises KafkaError, OSError or TimeoutError.

        While it raises, nobody knows: some broker doesn't answer, or a leader is only about to be one.
        """
        since = time.monotonic()
        async with self._asking:
            # Whoever waited here shares an answer that was asked for after they came.
            found = self._found.get(topic)
            if found is None or found.asked_at <= since:
                client: Any = consumer._client  # noqa: SLF001 -- a client of our own would be one more connection to each broker
                asked_at = time.monotonic()
                found = _Found(asked_at, await read_bounds(client, topic, committed=self._committed))
                self._found[topic] = found
        return found.bounds


class _Found(NamedTuple):
    asked_at: float
    bounds: Mapping[int, Bounds]
