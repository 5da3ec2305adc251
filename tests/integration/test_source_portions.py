"""Much to read, before a server serves and while it does: nobody else waits for long, and nothing is copied twice."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from services.pushserver.app import PushServer
from services.pushserver.portions import PORTION_BYTES, PORTION_RECORDS
from shared.kafka import KafkaSettings, consumer_options, skip_consumer_records
from tests.support.broker import Broker
from tests.support.records import RawRecord, produce
from tests.support.server import lagging, push_server, running, until_read
from tests.support.topics import Topics

pytestmark = pytest.mark.real_kafka

SMALL = [(f"k{number}", b"1") for number in range(4 * PORTION_RECORDS)]
LARGE = [(f"k{number}", b'"%b"' % (b"x" * (PORTION_BYTES // 4))) for number in range(20)]


@asynccontextmanager
async def turns(read: Callable[[], int]) -> AsyncIterator[list[int]]:
    """How many records had been read at each turn of the event loop."""
    seen: list[int] = [read()]

    async def look() -> None:
        while True:
            await asyncio.sleep(0)
            seen.append(read())

    looking = asyncio.create_task(look())
    try:
        yield seen
    finally:
        looking.cancel()


def records_of(server: PushServer) -> Callable[[], int]:
    return lambda: server.hub.counters.records


def steps(seen: list[int]) -> list[int]:
    return [step for before, after in itertools.pairwise(seen) if (step := after - before)]


@pytest.mark.parametrize(("pairs", "at_most"), [(SMALL, PORTION_RECORDS), (LARGE, 4)], ids=["many", "large"])
async def test_the_loop_turns_between_two_portions_of_what_has_piled_up(
    broker: Broker, topics: Topics, pairs: list[tuple[str, bytes]], at_most: int
) -> None:
    topic = await topics.create(partitions=2)
    written = [RawRecord(key.encode(), value) for key, value in pairs]
    await produce(broker.bootstrap, topic, written)
    server = push_server(broker.bootstrap, {"items": {"topic": topic}})
    async with turns(records_of(server)) as first, running(server):
        assert sum(steps(first)) == len(pairs)
        async with lagging(server):
            offsets = await produce(broker.bootstrap, topic, written)
        async with turns(records_of(server)) as then:
            await until_read(server, "items", offsets)
    assert max(steps(first)) <= at_most, "while it starts"
    assert max(steps(then)) <= at_most, "while it serves"
    assert max(steps(then)) == at_most, "as much as there may be"


async def test_records_are_unpacked_without_a_copy_from_the_first_fetch_on(broker: Broker, topics: Topics) -> None:
    topic = await topics.create(partitions=1)
    headers = (("ce_id", b"1"),)
    assigned = TopicPartition(topic, 0)
    consumer = AIOKafkaConsumer(**consumer_options(KafkaSettings(bootstrap=broker.bootstrap), "test"))
    await consumer.start()
    try:
        skip_consumer_records(consumer)
        consumer.assign([assigned])
        consumer.seek(assigned, 0)
        for number in range(2):
            record = RawRecord(b"key", b"%d" % number, headers, timestamp_ms=1000 + number)
            await produce(broker.bootstrap, topic, [record])
            ((read,),) = (await consumer.getmany(timeout_ms=10_000)).values()
            assert not isinstance(read, ConsumerRecord), "what aiokafka unpacks is as it should be, but copied again"
            assert (read.key, read.value, tuple(read.headers)) == (b"key", b"%d" % number, headers)
            assert (read.offset, read.timestamp) == (number, 1000 + number)
            assert await consumer.position(assigned) == number + 1
    finally:
        await consumer.stop()
