"""The table: the newest event of every resource of a collection, and how far each partition has been read.

A deleted resource stays as its tombstone for as long as Kafka promises to keep it, so that whoever resumes is told.
`floors` says for each partition from which position on every delete is still known.
"""

from collections import OrderedDict
from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import Final

from services.pushserver.log import PartitionLog
from shared.event import Event

RESOURCE_BYTES: Final = 400
"""About what a resource costs besides its data: the event, its id, its places in the index and the log."""
_SHARDS: Final = 64
"""A dict of a million keys that grows stops the world for 100 ms; 64 small ones do it in small pieces."""


class Table:
    """One epoch of one collection; `size_bytes` is about what it holds. Only positions are kept if `held` is false."""

    def __init__(self, epoch: bytes, partitions: int, *, delete_retention_ms: int, held: bool = True) -> None:
        self.epoch = epoch
        self.held = held
        self.positions: tuple[int, ...] = (0,) * partitions
        self.floors = [0] * partitions
        self.logs = [PartitionLog() for _ in range(partitions)]
        self.resources = 0
        self.size_bytes = 0
        self._delete_retention_ms = delete_retention_ms
        self._shards: list[dict[str, Event]] = [{} for _ in range(_SHARDS)]
        self._tombstones: OrderedDict[str, Event] = OrderedDict()

    def __repr__(self) -> str:
        return f"<Table epoch={self.epoch.hex()} positions={self.positions} resources={self.resources}>"

    def get(self, resource_id: str) -> Event | None:
        """The newest event of a resource, its tombstone included; None when none is known."""
        return self._shards[hash(resource_id) % _SHARDS].get(resource_id)

    def apply(self, events: Sequence[Event], positions: dict[int, int]) -> list[Event]:
        """Take a batch in the order read, and the position that each partition has reached by it.

        Returns what is news: all but an event that an older partition's newer one outdates (`_outdated`).
        """
        news = self._take(events) if self.held else list(events)
        moved = list(self.positions)
        for partition, position in positions.items():
            moved[partition] = max(moved[partition], position)
        self.positions = tuple(moved)
        return news

    def _take(self, events: Sequence[Event]) -> list[Event]:
        """Put events into their places, and return those that got one.

        They are logged in runs that are as long as possible: up to an event that replaces one of the same run.
        """
        news: list[Event] = []
        logged = 0
        for event in events:
            shard = self._shards[hash(event.id) % _SHARDS]
            known = shard.get(event.id)
            if known is not None:
                if _outdated(event, known):
                    continue
                if known.offset > self.logs[known.partition].last_offset:
                    self._log(news[logged:])
                    logged = len(news)
                self._forget(known)
                # The key object stays the first one: an event that brings its own copy would keep both.
                event.id = known.id
            shard[event.id] = event
            news.append(event)
        self._log(news[logged:])
        return news

    def _log(self, events: Sequence[Event]) -> None:
        for partition, run in groupby(events, attrgetter("partition")):
            self.logs[partition].extend(list(run))
        sizes = [len(event.data) for event in events if event.data is not None]
        self.resources += len(sizes)
        self.size_bytes += RESOURCE_BYTES * len(events) + sum(sizes)
        if len(sizes) < len(events):
            self._tombstones.update((event.id, event) for event in events if event.data is None)

    def _forget(self, known: Event) -> None:
        self.logs[known.partition].remove(known.offset)
        self.resources -= known.data is not None
        self.size_bytes -= _size(known)
        if known.data is None:
            del self._tombstones[known.id]

    def expire_tombstones(self, now_ms: int, limit: int) -> int:
        """Forget at most `limit` deletes older than Kafka keeps them, raise the floors, and say how many it were."""
        forgotten = 0
        while self._tombstones and forgotten < limit:
            event = next(iter(self._tombstones.values()))
            if event.logged_ms + self._delete_retention_ms > now_ms:
                break
            self._forget(event)
            del self._shards[hash(event.id) % _SHARDS][event.id]
            self.raise_floor(event.partition, event.offset + 1)
            forgotten += 1
        return forgotten

    def raise_floor(self, partition: int, position: int) -> None:
        """Deletes before `position` may be missing from now on."""
        self.floors[partition] = max(self.floors[partition], position)

    def positions_since(self, logged_ms: int) -> dict[int, int]:
        """For each partition the position from which on everything was logged at or after a time."""
        return {partition: log.position_since(logged_ms) for partition, log in enumerate(self.logs)}


def _size(event: Event) -> int:
    return RESOURCE_BYTES + len(event.data or b"")


def _outdated(event: Event, known: Event) -> bool:
    """Whether `known` is newer: a key changes its partition when a topic grows, and offsets then say nothing."""
    if event.partition == known.partition:
        return event.offset <= known.offset
    return (event.logged_ms, event.partition) < (known.logged_ms, known.partition)
