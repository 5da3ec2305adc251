"""The reading of one collection: its records become events of a channel, which is served once it is read to the end."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aiokafka import TopicPartition

from services.pushserver.channel import Channel
from services.pushserver.counters import Counters
from services.pushserver.hub import Hub
from shared.event import Event, decode_record
from shared.telemetry import logger

log = logger("source")
_SAMPLE = 1000
"""Of the malformed records of one kind, the first and then every thousandth is logged."""


class Reading:
    """A channel and how far its log is to be read before anyone is served from it."""

    def __init__(self, channel: Channel, hub: Hub, *, served: bool) -> None:
        self.channel = channel
        self.collection = channel.collection
        self.served = served
        self.targets: dict[int, int] = {}
        self._hub = hub
        self._counters: Counters = hub.counters
        self._gap_checked: dict[int, tuple[int, int]] = {}

    @property
    def partitions(self) -> list[TopicPartition]:
        """What has to be assigned."""
        return [TopicPartition(self.collection.topic, index) for index in range(len(self.channel.positions))]

    @property
    def behind(self) -> int:
        """Records still to be read before it can be served."""
        positions = self.channel.positions
        return sum(max(0, target - positions[partition]) for partition, target in self.targets.items())

    def begin_at(self, starts: Mapping[int, int]) -> None:
        """Say where each partition's log begins; what lies before it is not known."""
        self.channel.apply([], dict(starts))
        for partition, start in starts.items():
            self.channel.table.raise_floor(partition, start)
            if self.channel.history is not None:
                self.channel.history.windows[partition].floor = start

    def take(self, batches: Mapping[TopicPartition, Sequence[Any]], now_ms: int) -> None:
        """Take the records of a fetch that belong to the collection, and tell the watchers, if it is served."""
        events: list[Event] = []
        positions: dict[int, int] = {}
        for assigned, records in batches.items():
            if assigned.topic == self.collection.topic and records:
                self._mind_gaps(assigned.partition, records, now_ms)
                events += self._decode(assigned.partition, records)
                positions[assigned.partition] = records[-1].offset + 1
        if positions:
            self._hub.broadcast(self.channel, events, positions)

    def advance(self, positions: Mapping[int, int]) -> bool:
        """Count as read what brings no records: transaction markers, and what compaction has removed.

        Returns whether there was any.
        """
        now = self.channel.positions
        moved = {partition: at for partition, at in positions.items() if at > now[partition]}
        if moved:
            self._hub.broadcast(self.channel, [], moved)
        return bool(moved)

    def _decode(self, partition: int, records: Sequence[Any]) -> Iterable[Event]:
        settings = self.collection.settings
        value_format, max_bytes = settings.value, settings.max_value_bytes
        logged_ms = -1
        for record in records:
            if record.timestamp != logged_ms:
                # Neighbours of the same millisecond share the number, as long as both are held.
                logged_ms = record.timestamp
            event = decode_record(
                record.key, record.value, record.headers, partition, record.offset, logged_ms, value_format, max_bytes
            )
            if isinstance(event, Event):
                yield event
            else:
                self._count_malformed(event, partition, record.offset)

    def _count_malformed(self, reason: str, partition: int, offset: int) -> None:
        kind = (self.collection.name, reason)
        self._counters.malformed[kind] += 1
        if self._counters.malformed[kind] % _SAMPLE == 1:
            log.warning(
                "malformed record skipped",
                collection=self.collection.name,
                reason=reason,
                partition=partition,
                offset=offset,
                count=self._counters.malformed[kind],
            )

    def _mind_gaps(self, partition: int, records: Sequence[Any], now_ms: int) -> None:
        """Raise the floor over gaps in old records: compaction may have removed an expired delete there.

        A gap after a record younger than the deletes' retention is harmless: what it hid can't have expired.
        """
        expired_ms = now_ms - int(self.collection.settings.delete_retention_s * 1000)
        next_offset, logged_ms = self._gap_checked.get(partition, (self.channel.positions[partition], 0))
        last = records[-1]
        whole = last.offset - next_offset + 1 == len(records)
        if not whole and logged_ms < expired_ms:
            for record in records:
                if record.offset != next_offset and logged_ms < expired_ms:
                    self.channel.table.raise_floor(partition, record.offset)
                next_offset, logged_ms = record.offset + 1, record.timestamp
        self._gap_checked[partition] = (last.offset + 1, last.timestamp)
