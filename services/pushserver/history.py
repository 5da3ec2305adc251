"""The recent records of a collection, for watchers who want each of them (log mode)."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from shared.event import Event

_EVENT_BYTES: Final = 300
"""About what an event costs besides its data."""
_TRIM: Final = 1024
"""Places at the head of a window are given back in pieces, not record by record."""
_DROPPED: Final = Event("", -1, -1, 0, None)
"""Stands in the place of a dropped event, which may be large, until the place is given back."""


class Window:
    """The recent events of one partition: at most `limit`, of at most `limit_bytes`, none logged before a moving time.

    `floor` is the lowest position from which nothing retained is missing.
    """

    __slots__ = ("_dropped_ms", "_events", "_head", "_limit", "_limit_bytes", "_size", "floor")

    def __init__(self, limit: int, limit_bytes: int) -> None:
        self.floor = 0
        self._limit = limit
        self._limit_bytes = limit_bytes
        self._size = 0
        self._events: list[Event] = []
        self._head = 0
        self._dropped_ms = -1

    def __len__(self) -> int:
        return len(self._events) - self._head

    def append(self, event: Event) -> None:
        """Add the newest event of the partition; the oldest leave when there are too many."""
        self._events.append(event)
        self._size += _size(event)
        while len(self) > self._limit or (self._size > self._limit_bytes and len(self)):
            self._drop()

    def expire(self, before_ms: int) -> None:
        """Forget the events at the head that were logged before a time."""
        while len(self) and self._events[self._head].logged_ms < before_ms:
            self._drop()

    def events(self, start: int, stop: int, limit: int) -> list[Event]:
        """At most `limit` events with `start` <= offset < `stop`, in order; a full list means that more may follow."""
        low = bisect_left(self._events, start, lo=self._head, key=_offset)
        high = bisect_left(self._events, stop, lo=low, key=_offset)
        return self._events[low : min(high, low + limit)]

    def position_since(self, logged_ms: int) -> int:
        """The position from which on everything was logged at or after a time; 0 when some of it is forgotten."""
        if logged_ms <= self._dropped_ms:
            return 0
        position = self.floor
        for index in range(self._head, len(self._events)):
            if self._events[index].logged_ms >= logged_ms:
                break
            position = self._events[index].offset + 1
        return position

    def _drop(self) -> None:
        oldest = self._events[self._head]
        self.floor = oldest.offset + 1
        self._size -= _size(oldest)
        self._dropped_ms = max(self._dropped_ms, oldest.logged_ms)
        self._events[self._head] = _DROPPED
        self._head += 1
        if self._head >= _TRIM:
            del self._events[: self._head]
            self._head = 0


class History:
    """The windows of all partitions of a collection, each of at most `records` events of the last `age_ms`.

    `size_bytes` is the bound of all windows together, in equal shares.
    """

    def __init__(self, partitions: int, *, records: int, size_bytes: int, age_ms: int) -> None:
        self.windows = [Window(records, size_bytes // partitions) for _ in range(partitions)]
        self._age_ms = age_ms

    def apply(self, events: Sequence[Event]) -> None:
        """Take a batch in the order read."""
        for event in events:
            self.windows[event.partition].append(event)

    def expire(self, now_ms: int) -> None:
        """Forget what is older than the window."""
        for window in self.windows:
            window.expire(now_ms - self._age_ms)

    @property
    def floors(self) -> list[int]:
        """For each partition the lowest position from which nothing retained is missing."""
        return [window.floor for window in self.windows]

    def positions_since(self, logged_ms: int) -> dict[int, int]:
        """For each partition the position from which on everything was logged at or after a time."""
        return {partition: window.position_since(logged_ms) for partition, window in enumerate(self.windows)}


def _size(event: Event) -> int:
    return _EVENT_BYTES + len(event.data or b"")


def _offset(event: Event) -> int:
    return event.offset
