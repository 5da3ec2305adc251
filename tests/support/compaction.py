"""Making a real broker compact a topic now."""

from collections import Counter
from collections.abc import Callable, Sequence

from infra.cluster.deadline import until
from tests.support.records import RawRecord, produce, read_all
from tests.support.topics import Topics

FILLER_KEY = b"compaction-filler"
_ROLLED_AFTER_MS = 50
_LOOK_EVERY_S = 0.25

COMPACTING = {
    "cleanup.policy": "compact",
    "segment.ms": str(_ROLLED_AFTER_MS),
    "min.cleanable.dirty.ratio": "0.01",
}
"""Settings under which a record is compacted away soon after it is superseded; `compact` sets them itself."""


async def compact(bootstrap: str, topic: str, *, filler: RawRecord | None = None, within_s: float = 30) -> None:
    """Return when no superseded record of `topic` is left (tombstones stay).

    Only closed segments are compacted, and a segment is closed by the next record: so this writes a filler record,
    by default a tombstone of the key `compaction-filler`, to each partition, as often as it takes.
    It is an event like any other to whoever watches the topic.
    """
    await _compact_until(_no_record_is_superseded, bootstrap, topic, filler, within_s)


async def expire_tombstones(
    bootstrap: str, topic: str, *, filler: RawRecord | None = None, within_s: float = 30
) -> None:
    """Return when no tombstone of `topic` is left, having set its delete.retention.ms to 0; otherwise like `compact`.

    A tombstone that has been through a compaction keeps the retention of that moment: it must not have been yet.
    """
    async with Topics(bootstrap) as topics:
        await topics.configure(topic, {"delete.retention.ms": "0"})
    await _compact_until(_no_tombstone_is_left, bootstrap, topic, filler, within_s)


def _no_record_is_superseded(records: Sequence[RawRecord]) -> bool:
    return max(Counter((record.partition, record.key) for record in records).values(), default=0) <= 1


def _no_tombstone_is_left(records: Sequence[RawRecord]) -> bool:
    return all(record.value is not None for record in records)


async def _compact_until(
    done: Callable[[Sequence[RawRecord]], bool], bootstrap: str, topic: str, filler: RawRecord | None, within_s: float
) -> None:
    filler = filler or RawRecord(FILLER_KEY)
    async with Topics(bootstrap) as topics:
        await topics.configure(topic, COMPACTING)
        count = len(await topics.partitions(topic))
    fillers = [RawRecord(filler.key, filler.value, filler.headers, number) for number in range(count)]

    async def compacted() -> bool:
        await produce(bootstrap, topic, fillers)
        records = await read_all(bootstrap, topic, isolation_level="read_uncommitted")
        return done([record for record in records if record.key != filler.key])

    await until(compacted, f"{topic} is compacted", within_s=within_s, every_s=_LOOK_EVERY_S)
