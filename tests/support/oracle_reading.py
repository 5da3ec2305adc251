"""The independent reader of the truth: every record of a topic, by a plain Kafka consumer."""

import json
from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from shared.cursor import collection_tag, decode_cursor
from tests.support.oracle import ReadCursor
from tests.support.oracle_epochs import ReadEpoch
from tests.support.oracle_log import Positions, Record


async def read_topic(bootstrap: str, topic: str) -> list["ConsumerRecord[bytes, bytes]"]:
    """Every committed record of the topic, from its beginning to the end that it has now."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        fetch_max_wait_ms=50,
    )
    await consumer.start()
    try:
        return await _read(consumer)
    finally:
        await consumer.stop()


async def _read(consumer: AIOKafkaConsumer) -> list["ConsumerRecord[bytes, bytes]"]:
    ends: dict[TopicPartition, int] = await consumer.end_offsets(consumer.assignment())
    records: list[ConsumerRecord[bytes, bytes]] = []
    for partition, end in ends.items():
        while await consumer.position(partition) < end:
            for batch in (await consumer.getmany(timeout_ms=200)).values():
                records += batch
    return records


def truth_of(collection: str, records: Iterable["ConsumerRecord[bytes, bytes]"]) -> list[Record]:
    """The records as the oracle compares them: JSON values, parsed here by another parser than the product's."""
    return [_record(collection, record) for record in records]


def _record(collection: str, record: "ConsumerRecord[bytes, bytes]") -> Record:
    resource = f"{collection}/{record.key.decode()}" if record.key is not None else collection
    if record.value is None:
        return Record(record.partition, record.offset, resource, deleted=True, logged_ms=record.timestamp)
    return Record(record.partition, record.offset, resource, json.loads(record.value), logged_ms=record.timestamp)


def cursor_reader(collection: str) -> ReadCursor:
    """What reads the positions of one collection from a cursor: the codec is all that is shared with the product."""
    tag = collection_tag(collection)

    def read(cursor: str) -> Positions:
        return next((segment.positions for segment in decode_cursor(cursor) if segment.tag == tag), {})

    return read


def epoch_reader(collection: str) -> ReadEpoch:
    """What reads the epoch of one collection from a cursor, empty where the cursor doesn't know the collection."""
    tag = collection_tag(collection)

    def read(cursor: str) -> bytes:
        return next((segment.epoch for segment in decode_cursor(cursor) if segment.tag == tag), b"")

    return read
