"""The newest event of each key of one partition, in the order of their offsets: a compacted log in memory.

Events lie in chunks of a bounded size. Replacing one leaves a hole; a chunk with many holes is squeezed, and joined
with its neighbour when both fit into one, so every operation touches one or two chunks and none pauses the process.
A walk keeps nothing but an offset, so it survives whatever changes between two of its steps.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Final

from shared.event import Event

CHUNK: Final = 1024


class _Chunk:
    __slots__ = ("events", "latest_ms", "live", "offsets")

    def __init__(self) -> None:
        self.latest_ms = 0
        self.offsets = array("q")
        self.events: list[Event | None] = []
        self.live = 0

    def extend(self, events: Sequence[Event]) -> None:
        self.offsets.extend([event.offset for event in events])
        self.events.extend(events)
        self.live += len(events)
        self.latest_ms = max(self.latest_ms, *[event.logged_ms for event in events])

    def squeeze(self) -> None:
        self.events = [event for event in self.events if event is not None]
        self.offsets = array("q", [event.offset for event in self.events if event is not None])

    def absorb(self, later: "_Chunk") -> None:
        self.squeeze()
        later.squeeze()
        self.events += later.events
        self.offsets += later.offsets
        self.live += later.live
        self.latest_ms = max(self.latest_ms, later.latest_ms)


class PartitionLog:
    """Events by offset; offsets are appended in increasing order, one live event for each key (the caller's duty)."""

    __slots__ = ("_chunks", "_firsts")

    def __init__(self) -> None:
        self._chunks: list[_Chunk] = []
        self._firsts: list[int] = []

    def __len__(self) -> int:
        return sum(chunk.live for chunk in self._chunks)

    @property
    def last_offset(self) -> int:
        """No live event lies beyond it; -1 when there is none."""
        return self._chunks[-1].offsets[-1] if self._chunks else -1

    def extend(self, events: Sequence[Event]) -> None:
        """Add the newest events of the partition, in order."""
        taken = 0
        while taken < len(events):
            if not self._chunks or len(self._chunks[-1].events) >= CHUNK:
                self._chunks.append(_Chunk())
                self._firsts.append(events[taken].offset)
            chunk = self._chunks[-1]
            piece = events[taken : taken + CHUNK - len(chunk.events)]
            chunk.extend(piece)
            taken += len(piece)

    def remove(self, offset: int) -> None:
        """Forget the event at an offset, which must be there."""
        index = bisect_right(self._firsts, offset) - 1
        chunk = self._chunks[index]
        chunk.events[bisect_left(chunk.offsets, offset)] = None
        chunk.live -= 1
        if chunk.live * 2 <= len(chunk.events):
            self._tidy(index)

    def events(self, start: int, stop: int, limit: int) -> list[Event]:
        """At most `limit` events with `start` <= offset < `stop`, in order; a full list means that more may follow."""
        found: list[Event] = []
        index = max(0, bisect_right(self._firsts, start) - 1)
        while index < len(self._chunks) and self._firsts[index] < stop and len(found) < limit:
            chunk = self._chunks[index]
            low, high = bisect_left(chunk.offsets, start), bisect_left(chunk.offsets, stop)
            found += [event for event in chunk.events[low:high] if event is not None][: limit - len(found)]
            index += 1
        return found

    def position_since(self, logged_ms: int) -> int:
        """The position right after the last event before the first one that was logged at or after a time.

        Not the offset of that first one: a delete that is no longer known may lie between the two.
        """
        position = 0
        for chunk in self._chunks:
            if chunk.latest_ms < logged_ms:
                position = next(event.offset for event in reversed(chunk.events) if event is not None) + 1
                continue
            for event in chunk.events:
                if event is None:
                    continue
                if event.logged_ms >= logged_ms:
                    return position
                position = event.offset + 1
        return position

    def _tidy(self, index: int) -> None:
        chunk = self._chunks[index]
        if not chunk.live:
            del self._chunks[index], self._firsts[index]
            return
        chunk.squeeze()
        for left in (index - 1, index):
            if 0 <= left < len(self._chunks) - 1 and self._chunks[left].live + self._chunks[left + 1].live <= CHUNK:
                self._chunks[left].absorb(self._chunks[left + 1])
                del self._chunks[left + 1], self._firsts[left + 1]
                return
