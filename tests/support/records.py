"""Records written and read as any foreign Kafka client would, past Watchroute."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from infra.cluster.deadline import until
from tests.support.topics import Topics

Client = TypeVar("Client", AIOKafkaConsumer, AIOKafkaProducer)

_FETCH_WAIT_MS = 10
"""Short, because the embedded broker sleeps the whole of it."""


@dataclass(frozen=True)
class RawRecord:
    """A record as bytes; `partition` None leaves it to the hash of the key, and `offset` is -1 until it is known."""

    key: bytes | None = None
    value: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()
    partition: int | None = None
    timestamp_ms: int | None = None
    offset: int = -1


async def produce(bootstrap: str, topic: str, records: Sequence[RawRecord], **options: Any) -> list[tuple[int, int]]:
    """Write the records in order, all acknowledged by all replicas; returns (partition, offset) of each.

    `options` go to AIOKafkaProducer.
    """
    async with _started(AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, **options)) as producer:
        return await _send(producer, topic, records)


async def produce_transaction(
    bootstrap: str, topic: str, records: Sequence[RawRecord], *, commit: bool
) -> list[tuple[int, int]]:
    """Write the records in one transaction, all of them acknowledged, and then commit or abort it."""
    name = f"test-{uuid.uuid4().hex}"
    async with _started(AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=name)) as producer:
        await producer.begin_transaction()
        written = await _send(producer, topic, records)
        await (producer.commit_transaction() if commit else producer.abort_transaction())
        return written


async def read_all(
    bootstrap: str,
    topic: str,
    *,
    isolation_level: Literal["read_committed", "read_uncommitted"] = "read_committed",
    within_s: float = 30,
) -> list[RawRecord]:
    """All records of a topic now, from its beginning to the end seen at the call; in order within each partition."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level=isolation_level,
        fetch_max_wait_ms=_FETCH_WAIT_MS,
        enable_auto_commit=False,
    )
    async with Topics(bootstrap) as topics:
        partitions = [TopicPartition(topic, found["partition"]) for found in await topics.partitions(topic)]
    async with _started(consumer):
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        return await _read_to_end(consumer, await consumer.end_offsets(partitions), within_s)


@asynccontextmanager
async def _started(client: Client) -> AsyncIterator[Client]:
    """Unlike the clients' own `async with`, this also stops one that could not start."""
    try:
        await client.start()
        yield client
    finally:
        await client.stop()


async def _send(producer: AIOKafkaProducer, topic: str, records: Sequence[RawRecord]) -> list[tuple[int, int]]:
    acknowledgements = [
        await producer.send(
            topic,
            key=record.key,
            value=record.value,
            headers=list(record.headers),
            partition=record.partition,
            timestamp_ms=record.timestamp_ms,
        )
        for record in records
    ]
    written = await asyncio.gather(*acknowledgements)
    return [(metadata.partition, metadata.offset) for metadata in written]


async def _read_to_end(consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int], within_s: float) -> list[RawRecord]:
    found: list[RawRecord] = []

    async def at_end() -> bool:
        for batch in (await consumer.getmany(timeout_ms=_FETCH_WAIT_MS)).values():
            found.extend(_raw(record) for record in batch)
        return all([await consumer.position(partition) >= end for partition, end in ends.items()])

    await until(at_end, f"reading to {ends}", within_s=within_s, every_s=0)
    return found


def _raw(record: Any) -> RawRecord:
    return RawRecord(record.key, record.value, tuple(record.headers), record.partition, record.timestamp, record.offset)
