"""The truth: every record of one topic, as an independent reader found it."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple

from tests.support.recording import Frame

Positions = Mapping[int, int]
"""The next offset wanted, per partition."""


class Record(NamedTuple):
    """One record; `data` is the parsed value, without meaning where `deleted`; `logged_ms` is Kafka's timestamp."""

    partition: int
    offset: int
    resource: str
    data: Any = None
    deleted: bool = False
    logged_ms: int = 0

    def matches(self, frame: Frame) -> bool:
        """Whether a data frame tells of this record."""
        if self.deleted:
            return bool(frame["event"] == "delete") and "data" not in frame
        return bool(frame["event"] == "put" and frame["data"] == self.data)

    def newer_than(self, other: "Record") -> bool:
        """Whether it came after another record of its resource.

        A key changes its partition when the topic grows; offsets then say nothing, and the later timestamp wins
        (ARCHITECTURE.md, accepted limits).
        """
        if self.partition == other.partition:
            return self.offset > other.offset
        return (self.logged_ms, self.partition) > (other.logged_ms, other.partition)


class TruthLog:
    """All records of one epoch, by partition and by resource and partition, in offset order."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._partitions: dict[int, list[Record]] = defaultdict(list)
        self._resources: dict[str, dict[int, list[Record]]] = defaultdict(lambda: defaultdict(list))
        for record in sorted(records, key=lambda record: (record.partition, record.offset)):
            self._partitions[record.partition].append(record)
            self._resources[record.resource][record.partition].append(record)

    def __len__(self) -> int:
        return sum(map(len, self._partitions.values()))

    def __iter__(self) -> Iterator[Record]:
        return chain.from_iterable(self._partitions.values())

    def resources(self) -> Iterable[str]:
        """Every resource that ever was."""
        return self._resources.keys()

    def told_by(self, frame: Frame) -> Record | None:
        """The record of that resource and version; where a key has moved and two have it, the one that it tells of.

        Two deletes are alike but for their time; without one it is the newer of them.
        """
        offset = int(frame["version"])
        runs = self._resources.get(frame["resource"], {}).values()
        found = [run[at] for run in runs if (at := _index(run, offset)) < len(run) and run[at].offset == offset]
        alike = [record for record in found if record.matches(frame)] or found
        told_ms = _time_ms(frame)
        return max(alike, key=lambda record: (record.logged_ms == told_ms, record.logged_ms), default=None)

    def newest(self, resource: str, positions: Positions | None = None) -> Record | None:
        """The newest record of a resource before those positions (nothing of a partition that they don't know)."""
        newest: Record | None = None
        for partition, run in self._resources[resource].items():
            end = len(run) if positions is None else _index(run, positions.get(partition, 0))
            if end and (newest is None or run[end - 1].newer_than(newest)):
                newest = run[end - 1]
        return newest

    def deleted_since(self, record: Record) -> bool:
        """Whether the resource was deleted at this record or later."""
        runs = self._resources[record.resource].values()
        return any(later.deleted and not record.newer_than(later) for run in runs for later in run)

    def between(self, start: Positions, end: Positions) -> Iterator[Record]:
        """The records from `start` (of a partition that it doesn't know: none) up to before `end`."""
        for partition, first in start.items():
            records = self._partitions.get(partition, [])
            yield from records[_index(records, first) : _index(records, end.get(partition, first))]


def _time_ms(frame: Frame) -> int | None:
    """When the event was, which is the record's own timestamp where our producer wrote it."""
    return round(datetime.fromisoformat(frame["time"]).timestamp() * 1000) if "time" in frame else None


def _index(records: list[Record], offset: int) -> int:
    return bisect_left(records, offset, key=lambda record: record.offset)
