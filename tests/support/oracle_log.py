"""The truth: every record of one topic, as an independent reader found it."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from tests.support.recording import Frame

Positions = Mapping[int, int]
"""The next offset wanted, per partition."""


class Record(NamedTuple):
    """One record; `data` is the parsed value, without meaning where `deleted`."""

    partition: int
    offset: int
    resource: str
    data: Any = None
    deleted: bool = False

    def matches(self, frame: Frame) -> bool:
        """Whether a data frame tells of this record."""
        if self.deleted:
            return bool(frame["event"] == "delete") and "data" not in frame
        return bool(frame["event"] == "put" and frame["data"] == self.data)


class TruthLog:
    """All records, by partition and by resource, in offset order."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._partitions: dict[int, list[Record]] = defaultdict(list)
        self._resources: dict[str, list[Record]] = defaultdict(list)
        for record in sorted(records, key=lambda record: (record.partition, record.offset)):
            self._partitions[record.partition].append(record)
            self._resources[record.resource].append(record)

    def __len__(self) -> int:
        return sum(map(len, self._partitions.values()))

    def resources(self) -> Iterable[str]:
        """Every resource that ever was."""
        return self._resources.keys()

    def find(self, resource: str, offset: int) -> Record | None:
        """The record of that resource and version."""
        records = self._resources.get(resource, [])
        at = _index(records, offset)
        return records[at] if at < len(records) and records[at].offset == offset else None

    def newest(self, resource: str, positions: Positions | None = None) -> Record | None:
        """The newest record of a resource before those positions (nothing of a partition that they don't know)."""
        records = self._resources[resource]
        if positions is None:
            return records[-1]
        at = _index(records, positions.get(records[0].partition, 0))
        return records[at - 1] if at else None

    def deleted_since(self, record: Record) -> bool:
        """Whether the resource was deleted at this record or later."""
        return any(later.deleted for later in self._resources[record.resource] if later.offset >= record.offset)

    def between(self, start: Positions, end: Positions) -> Iterator[Record]:
        """The records from `start` (of a partition that it doesn't know: none) up to before `end`."""
        for partition, first in start.items():
            records = self._partitions.get(partition, [])
            yield from records[_index(records, first) : _index(records, end.get(partition, first))]


def _index(records: list[Record], offset: int) -> int:
    return bisect_left(records, offset, key=lambda record: record.offset)
