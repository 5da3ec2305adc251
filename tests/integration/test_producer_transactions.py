"""Transactions: all of the changes or none, for whoever reads what is committed."""

import asyncio
import os

import pytest

from services.producer.publisher import Publisher
from services.producer.write import Ack
from shared.problem import Problem
from tests.integration.producing import catalog_of, publishing
from tests.support.broker import Broker
from tests.support.records import read_all
from tests.support.topics import Topics

pytestmark = pytest.mark.real_kafka
SMALL = {"max.message.bytes": "10000"}


class ChangedMyMind(Exception):
    """Raised by the program inside its transaction."""


async def change_and_give_up(publisher: Publisher) -> None:
    async with publisher.transaction() as changes:
        changes.put("stocks/a", 1)
        raise ChangedMyMind


async def change_too_much(publisher: Publisher) -> None:
    async with publisher.transaction() as changes:
        changes.put("stocks/a", "aborted")
        changes.put("small/a", os.urandom(20_000).hex())
        changes.put("stocks/b", "aborted")


async def test_changes_of_several_collections_are_written_together(broker: Broker, topics: Topics) -> None:
    one, other = await topics.create(partitions=2), await topics.create()
    async with publishing(broker.bootstrap, catalog_of(stocks=one, news=other)) as publisher:
        async with publisher.transaction() as changes:
            changes.put("stocks/a", 1, type="x")
            changes.put("news/b", 2)
            changes.delete("stocks/a")
        assert [ack.resource for ack in changes.acks] == ["stocks/a", "news/b", "stocks/a"]
    read = await read_all(broker.bootstrap, one)
    assert [(record.value, str(record.offset)) for record in read] == [
        (b"1", changes.acks[0].version),
        (None, changes.acks[2].version),
    ]
    assert [record.value for record in await read_all(broker.bootstrap, other)] == [b"2"]


async def test_a_block_that_raises_writes_nothing(broker: Broker, topics: Topics) -> None:
    topic = await topics.create()
    async with publishing(broker.bootstrap, catalog_of(stocks=topic)) as publisher:
        with pytest.raises(ChangedMyMind):
            await change_and_give_up(publisher)
        async with publisher.transaction():
            pass
    assert await read_all(broker.bootstrap, topic, isolation_level="read_uncommitted") == []


async def test_an_aborted_transaction_is_never_seen_by_who_reads_what_is_committed(
    broker: Broker, topics: Topics
) -> None:
    topic, small = await topics.create(), await topics.create(config=SMALL)
    async with publishing(broker.bootstrap, catalog_of(stocks=topic, small=small)) as publisher:
        for number in range(3):
            with pytest.raises(Problem) as refused:
                await change_too_much(publisher)
            assert (refused.value.code, refused.value.members["outcome"]) == ("too_large", "not_written")
            async with publisher.transaction() as changes:
                changes.put("stocks/a", number)
        await publisher.put("stocks/a", "plain")
    committed = await read_all(broker.bootstrap, topic)
    assert [record.value for record in committed] == [b"0", b"1", b"2", b'"plain"']
    everything = await read_all(broker.bootstrap, topic, isolation_level="read_uncommitted")
    assert b'"aborted"' in {record.value for record in everything}


async def test_transactions_at_the_same_time_take_turns(broker: Broker, topics: Topics) -> None:
    topic = await topics.create(partitions=4)

    async with publishing(broker.bootstrap, catalog_of(stocks=topic)) as publisher:

        async def write(number: int) -> list[Ack]:
            async with publisher.transaction() as changes:
                changes.put("stocks/a", number)
                changes.put("stocks/b", number)
            return changes.acks

        acks = await asyncio.gather(*map(write, range(10)))
    assert len({(ack.resource, ack.version) for pair in acks for ack in pair}) == 20
    records = await read_all(broker.bootstrap, topic)
    by_key = {key: [record.value for record in records if record.key == key] for key in (b"a", b"b")}
    assert by_key[b"a"] == by_key[b"b"]
    assert len(by_key[b"a"]) == 10


async def test_a_transaction_that_is_cancelled_leaves_nothing_and_holds_nobody_back(
    broker: Broker, topics: Topics
) -> None:
    topic = await topics.create()

    async with publishing(broker.bootstrap, catalog_of(stocks=topic)) as publisher:
        await publisher.put("stocks/a", 0)

        async def write() -> None:
            async with publisher.transaction() as changes:
                for number in range(200):
                    changes.put(f"stocks/{number}", "cancelled")

        for turns in range(0, 40, 2):
            task = asyncio.create_task(write())
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait((task,))
            assert task.cancelled() or task.done()
        async with publisher.transaction() as changes:
            changes.put("stocks/a", 1)
    counts: dict[bytes | None, int] = {}
    for record in await read_all(broker.bootstrap, topic, within_s=8):
        counts[record.value] = counts.get(record.value, 0) + 1
    assert counts.get(b"1") == 1
    assert counts.get(b'"cancelled"', 0) % 200 == 0
