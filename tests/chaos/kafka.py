"""The cluster's topics as an operator sees and changes them, also while brokers are away."""

import asyncio
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Final, NamedTuple

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.admin import AlterPartitionReassignmentsRequest
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions

from infra.cluster.deadline import until
from tests.support.oracle_log import Record

_ANSWER_WITHIN_S: Final = 10
_READ_WITHIN_S: Final = 15
_QUIET: Final = {"log_level": 0, "socket.timeout.ms": 5000, "reconnect.backoff.max.ms": 500}


class Partition(NamedTuple):
    """What the metadata says of one."""

    topic: str
    number: int
    leader: int
    replicas: tuple[int, ...]
    isr: tuple[int, ...]


class Kafka:
    """Every change returns when the metadata shows it; raises DeadlineMissed, and Kafka's own errors."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self._admin = AdminClient({"bootstrap.servers": bootstrap, **_QUIET})

    async def partitions(self, topic: str | None = None) -> list[Partition]:
        """Of one topic, or of all."""
        known = await asyncio.to_thread(self._admin.list_topics, topic, _ANSWER_WITHIN_S)
        return [
            Partition(name, number, found.leader, tuple(found.replicas), tuple(found.isrs))
            for name, described in known.topics.items()
            for number, found in sorted(described.partitions.items())
        ]

    async def records(self, topic: str) -> list[Record]:
        """Every committed record of a topic, as it is now; raises TimeoutError when the brokers don't tell in time."""
        return await asyncio.to_thread(self._read, topic)

    async def delete(self, topic: str) -> None:
        """Remove a topic."""
        await _done(self._admin.delete_topics([topic]))

        async def gone() -> bool:
            return topic not in {partition.topic for partition in await self.partitions()}

        await until(gone, f"the topic {topic} is gone")

    async def grow(self, topic: str, partitions: int) -> None:
        """Raise the number of partitions."""
        await _done(self._admin.create_partitions([NewPartitions(topic, partitions)]))
        await self._until_count(topic, partitions)

    async def reassign(self, topic: str, partition: int, replicas: Sequence[int]) -> None:
        """Have a partition on other brokers; when its leader is none of them, another one leads."""
        client = AIOKafkaClient(bootstrap_servers=self.bootstrap)
        await client.bootstrap()
        try:
            no_tags: Any = {}
            asked: Any = [(topic, [(partition, list(replicas), {})], {})]
            answer: Any = await client.send(
                client.get_random_node(), AlterPartitionReassignmentsRequest(_ANSWER_WITHIN_S * 1000, asked, no_tags)
            )
        finally:
            await client.close()
        codes = [answer.error_code, *(code for _, found, _ in answer.responses for _, code, _, _ in found)]
        for code in filter(None, codes):
            raise for_code(code)(topic)

    def _read(self, topic: str) -> list[Record]:
        group = {"group.id": "truth", "enable.auto.commit": False, "isolation.level": "read_committed"}
        reader = Consumer({"bootstrap.servers": self.bootstrap, "enable.partition.eof": True, **group, **_QUIET})
        try:
            count = len(reader.list_topics(topic, _ANSWER_WITHIN_S).topics[topic].partitions)
            reader.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in range(count)])
            return list(_to_the_end(reader, count))
        finally:
            reader.close()

    async def _until_count(self, topic: str, count: int) -> None:
        async def led() -> bool:
            found = await self.partitions(topic)
            return len(found) == count and all(partition.leader >= 0 for partition in found)

        await until(led, f"{topic} has {count} partitions with leaders")


async def _done(futures: Mapping[Any, "Future[Any]"]) -> None:
    for future in futures.values():
        await asyncio.wrap_future(future)


def _to_the_end(reader: Consumer, partitions: int) -> Iterator[Record]:
    give_up_s = time.monotonic() + _READ_WITHIN_S
    ended: set[int | None] = set()
    while len(ended) < partitions:
        if time.monotonic() > give_up_s:
            raise TimeoutError(f"not read to the end within {_READ_WITHIN_S} s: only {ended} of {partitions}")
        for message in reader.consume(1000, 0.2):
            error = message.error()
            if error is None:
                yield _record(message)
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 -- its name is public
                ended.add(message.partition())


def _record(message: Message) -> Record:
    partition, offset, topic, key, value = (
        message.partition(), message.offset(), message.topic(), message.key(), message.value()
    )  # fmt: skip
    assert partition is not None
    assert offset is not None
    assert isinstance(key, bytes)
    resource, logged_ms = f"{topic}/{key.decode()}", message.timestamp()[1]
    if value is None:
        return Record(partition, offset, resource, deleted=True, logged_ms=logged_ms)
    return Record(partition, offset, resource, json.loads(value), logged_ms=logged_ms)
