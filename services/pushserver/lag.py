"""How far a consumer is from the ends of its partitions, as its last fetches told it."""

from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.pushserver.reading import Reading


def seek(
    consumer: AIOKafkaConsumer,
    reading: Reading,
    beginnings: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
) -> None:
    """Go on where the reading stands, or begin where the log does; it is to be read up to `ends`."""
    if not reading.served and not any(reading.channel.positions):
        reading.begin_at({assigned.partition: beginnings[assigned] for assigned in reading.partitions})
    reading.targets = {assigned.partition: ends[assigned] for assigned in reading.partitions}
    for assigned in reading.partitions:
        consumer.seek(assigned, reading.channel.positions[assigned.partition])


async def advance(consumer: AIOKafkaConsumer, reading: Reading) -> bool:
    """Count as read what brings no records, transaction markers above all; returns whether there was any.

    Asking has its price, so it is done only for partitions that seem to be behind.
    """
    now = reading.channel.positions
    behind = [
        assigned
        for assigned in reading.partitions
        if (end := _end(consumer, assigned)) is not None and now[assigned.partition] < end
    ]
    asked = behind if reading.served else reading.partitions
    return reading.advance({assigned.partition: await consumer.position(assigned) for assigned in asked})


def note_freshness(consumer: AIOKafkaConsumer, reading: Reading) -> None:
    """Note when everything up to the end was known to have been read: the oldest of the partitions' last fetches."""
    positions = reading.channel.positions
    fetches = []
    for assigned in reading.partitions:
        end, fetched_ms = _end(consumer, assigned), consumer.last_poll_timestamp(assigned)
        if end is None or fetched_ms is None or positions[assigned.partition] < end:
            return
        fetches.append(fetched_ms)
    reading.channel.as_of_ms = max(reading.channel.as_of_ms, min(fetches))


def lag_of(consumer: AIOKafkaConsumer, reading: Reading) -> int:
    """How many offsets Kafka is known to be ahead."""
    positions, assigned = reading.channel.positions, consumer.assignment()
    ends = [_end(consumer, partition) for partition in reading.partitions if partition in assigned]
    return sum(max(0, end - at) for end, at in zip(ends, positions, strict=False) if end is not None)


def last_fetch_ms(consumer: AIOKafkaConsumer) -> int:
    """When a fetch of any partition was last answered, with records or without; 0 for never."""
    return max((consumer.last_poll_timestamp(assigned) or 0 for assigned in consumer.assignment()), default=0)


def _end(consumer: AIOKafkaConsumer, assigned: TopicPartition) -> int | None:
    """The end that this consumer may read to, as it was told by its last fetch."""
    stable = consumer.last_stable_offset(assigned)
    end: int | None = stable if stable is not None and stable >= 0 else consumer.highwater(assigned)
    return end
