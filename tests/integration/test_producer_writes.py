"""The publisher over a Kafka that is well: what it acknowledges is in the log."""

import asyncio
import contextlib
import os

import msgpack
import orjson
import pytest

from infra.cluster.deadline import until
from services.producer.publisher import Publisher
from services.producer.transaction import Delete, Put
from services.producer.write import Ack
from shared.cursor import Segment, collection_tag, decode_cursor, scope_tag
from shared.event import Event, decode_record
from shared.problem import Problem
from tests.integration.producing import catalog_of, publishing
from tests.support.broker import Broker
from tests.support.records import RawRecord, produce, read_all
from tests.support.topics import Topics

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def record_of(records: list[RawRecord], ack: Ack) -> RawRecord:
    (segment,) = decode_cursor(ack.cursor)
    ((partition, after),) = segment.positions.items()
    assert after == int(ack.version) + 1
    (record,) = [found for found in records if (found.partition, found.offset) == (partition, after - 1)]
    return record


def event_of(record: RawRecord) -> Event:
    event = decode_record(
        record.key,
        record.value,
        record.headers,
        partition=record.partition or 0,
        offset=record.offset,
        timestamp_ms=record.timestamp_ms or 0,
        value_format="json",
        max_bytes=10_000_000,
    )
    assert isinstance(event, Event)
    return event


async def test_what_is_acknowledged_is_in_the_log_at_its_version(broker: Broker, topics: Topics) -> None:
    topic = await topics.create(partitions=4)
    async with publishing(broker.bootstrap, catalog_of(stocks=topic)) as publisher:
        acks = [await publisher.put(f"stocks/{name}", {"n": name}) for name in ("a", "b", "é/1")]
        acks.append(await publisher.delete("stocks/a"))
    records = await read_all(broker.bootstrap, topic)
    assert len(records) == 4
    assert [record_of(records, ack).key for ack in acks] == [b"a", b"b", "é/1".encode(), b"a"]
    assert [record_of(records, ack).value for ack in acks] == [b'{"n":"a"}', b'{"n":"b"}', '{"n":"é/1"}'.encode(), None]
    assert int(acks[3].version) > int(acks[0].version)


async def test_the_event_says_what_the_writer_said_and_when(broker: Broker, topics: Topics) -> None:
    topic = await topics.create()
    async with publishing(broker.bootstrap, catalog_of(stocks=topic)) as publisher:
        await publisher.put("stocks/a", 1, type="price.changed", source="/x", id="7", traceparent=TRACE)
    (record,) = await read_all(broker.bootstrap, topic)
    event = event_of(record)
    assert (event.type, event.source, event.event_id) == ("price.changed", "/x", "7")
    assert dict(record.headers)["traceparent"] == TRACE.encode()
    if broker.real:
        assert event.occurred_ms == event.logged_ms


async def test_the_cursor_is_of_the_collection_and_the_resource(broker: Broker, topics: Topics) -> None:
    topic = await topics.create(partitions=4)
    async with publishing(broker.bootstrap, catalog_of(stocks=topic)) as publisher:
        one, other = await publisher.put("stocks/a", 1), await publisher.put("stocks/b", 1)
    (first,), (second,) = decode_cursor(one.cursor), decode_cursor(other.cursor)
    assert (first.tag, first.scopes) == (collection_tag("stocks"), (scope_tag("stocks/a"),))
    assert first.epoch == second.epoch
    assert len(one.cursor) <= 26


async def test_a_key_goes_where_every_kafka_client_puts_it(broker: Broker, topics: Topics) -> None:
    topic = await topics.create(partitions=4)
    names = [f"k{number}" for number in range(20)]
    foreign = await produce(broker.bootstrap, topic, [RawRecord(name.encode(), b"1") for name in names])
    async with publishing(broker.bootstrap, catalog_of(stocks=topic)) as publisher:
        acks = [await publisher.put(f"stocks/{name}", 2) for name in names]
    ours = [next(iter(decode_cursor(ack.cursor)[0].positions)) for ack in acks]
    assert ours == [partition for partition, _ in foreign]


async def test_many_writes_are_answered_in_order_and_stay_in_order(broker: Broker, topics: Topics) -> None:
    topic = await topics.create(partitions=4)
    changes: list[Put | Delete] = [Put(f"stocks/{number % 7}", number) for number in range(300)]
    changes[100] = Delete("stocks/x")
    async with publishing(broker.bootstrap, catalog_of(stocks=topic)) as publisher:
        answers = await publisher.put_many(changes)
    assert [answer.resource for answer in answers if isinstance(answer, Ack)] == [change.resource for change in changes]
    for name in map(str, range(7)):
        records = [record for record in await read_all(broker.bootstrap, topic) if record.key == name.encode()]
        numbers = [orjson.loads(record.value or b"") for record in records]
        assert numbers == sorted(numbers)


async def test_one_write_that_is_refused_is_an_error_in_its_place(broker: Broker, topics: Topics) -> None:
    topic = await topics.create()
    async with publishing(broker.bootstrap, catalog_of(stocks=topic)) as publisher:
        good, bad, also_good = await publisher.put_many([Put("stocks/a", 1), Put("nowhere/a", 1), Put("stocks/b", 2)])
    assert isinstance(bad, Problem)
    assert bad.code == "not_found"
    assert (isinstance(good, Ack), isinstance(also_good, Ack)) == (True, True)
    assert [record.key for record in await read_all(broker.bootstrap, topic)] == [b"a", b"b"]


async def test_a_msgpack_collection_holds_msgpack(broker: Broker, topics: Topics) -> None:
    topic = await topics.create()
    catalog = catalog_of(packed={"topic": topic, "value": "msgpack"})
    async with publishing(broker.bootstrap, catalog) as publisher:
        await publisher.put("packed/a", b'{"a": [1, null]}')
    (record,) = await read_all(broker.bootstrap, topic)
    assert msgpack.unpackb(record.value or b"") == {"a": [1, None]}
    assert dict(record.headers)["content-type"] == b"application/msgpack"


async def test_a_value_of_two_megabytes_is_written_where_it_may_be(broker: Broker, topics: Topics) -> None:
    topic = await topics.create(config={"max.message.bytes": "4000000"})
    catalog = catalog_of(stocks={"topic": topic, "max_value_bytes": 3_000_000})
    text = os.urandom(1_000_000).hex()
    async with publishing(broker.bootstrap, catalog) as publisher:
        await publisher.put("stocks/a", text)
        with pytest.raises(Problem) as refused:
            await publisher.put("stocks/a", text * 2)
    assert (refused.value.code, refused.value.status) == ("too_large", 413)
    (record,) = await read_all(broker.bootstrap, topic)
    assert record.value == orjson.dumps(text)


@pytest.mark.real_kafka
async def test_a_record_that_brokers_find_too_large_stops_nothing_that_follows(broker: Broker, topics: Topics) -> None:
    topic = await topics.create(config={"max.message.bytes": "10000"})
    async with publishing(broker.bootstrap, catalog_of(stocks=topic)) as publisher:
        for number in range(3):
            with pytest.raises(Problem) as refused:
                await publisher.put("stocks/a", os.urandom(20_000).hex())
            assert (refused.value.code, refused.value.members["outcome"]) == ("too_large", "not_written")
            await publisher.put("stocks/a", number)
    assert [record.value for record in await read_all(broker.bootstrap, topic)] == [b"0", b"1", b"2"]


async def test_more_than_may_wait_is_refused_at_once(broker: Broker, topics: Topics) -> None:
    topic = await topics.create()
    async with publishing(broker.bootstrap, catalog_of(stocks=topic), max_in_flight=5) as publisher:
        await publisher.put("stocks/first", 1)
        puts = (publisher.put(f"stocks/{number}", number) for number in range(20))
        answers = await asyncio.gather(*puts, return_exceptions=True)
        refused = [answer for answer in answers if isinstance(answer, Problem)]
        assert {problem.members["outcome"] for problem in refused} == {"not_written"}
        assert len(refused) == 15
        await publisher.put("stocks/last", 1)
    assert len(await read_all(broker.bootstrap, topic)) == 7


@pytest.mark.real_kafka
async def test_a_topic_that_is_missing_is_said_to_be_and_found_when_it_is_there(broker: Broker, topics: Topics) -> None:
    topic = await topics.create()
    async with publishing(broker.bootstrap, catalog_of(stocks=topic, late=f"{topic}-late")) as publisher:
        with pytest.raises(Problem, match="does not exist") as missing:
            await publisher.put("late/a", 1)
        assert (missing.value.code, missing.value.members["outcome"]) == ("unavailable", "not_written")
        await publisher.put("stocks/a", 1)
        await topics.create(f"{topic}-late")
        assert (await publisher.put("late/a", 1)).version == "0"


@pytest.mark.real_kafka
async def test_a_topic_that_is_created_anew_gives_cursors_of_another_epoch(broker: Broker, topics: Topics) -> None:
    topic = await topics.create()
    async with publishing(broker.bootstrap, catalog_of(stocks=topic), identity_check_s=3600) as publisher:
        before = [await publisher.put("stocks/a", number) for number in range(3)][-1]
        await topics.delete(topic)
        await topics.create(topic)
        after = await put_until_taken(publisher)
    assert segment_of(before).epoch != segment_of(after).epoch


@pytest.mark.real_kafka
async def test_a_topic_that_grows_gives_cursors_of_another_epoch(broker: Broker, topics: Topics) -> None:
    topic = await topics.create(partitions=1)
    async with publishing(broker.bootstrap, catalog_of(stocks=topic), identity_check_s=0.1) as publisher:
        before = await publisher.put("stocks/a", 1)
        await topics.grow(topic, 8)

        async def differs() -> bool:
            return segment_of(await publisher.put("stocks/a", 2)).epoch != segment_of(before).epoch

        await until(differs, "cursors are of another epoch")


async def put_until_taken(publisher: Publisher) -> Ack:
    async def taken() -> Ack | None:
        with contextlib.suppress(Problem):
            return await publisher.put("stocks/a", "new")
        return None

    ack = await until(taken, "the write is taken")
    assert ack is not None
    return ack


def segment_of(ack: Ack) -> Segment:
    (segment,) = decode_cursor(ack.cursor)
    return segment
