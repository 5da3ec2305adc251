"""What a watch is told before it is live: a snapshot or a resume, pulled in pieces."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from services.pushserver.channel import Channel
from shared.event import Event
from shared.resource import Watch

SCAN: Final = 1024
"""Events looked at in one pull: about 200 µs for a prefix that matches nothing."""
PULL_BYTES: Final = 32 * 1024
"""Data pulled at once, unless a single event has more."""
RUN: Final = 64
"""One offset in so many ends a run."""
_SHORTEST_RUN: Final = 16
_LOOK: Final = 2 * RUN
"""Events looked at in one pull of a whole collection, which wants nearly all of them."""


class Walk:
    """A walk over the partitions of a channel, from a position in each to where the channel is when it begins.

    It keeps offsets only, whatever its length. `deletes_from` says for each partition from which offset on a deleted
    resource is told: who knew nothing before needs no deletes of before. What changes while the walk goes on is told by
    walking on. `looked` counts the events looked at, wanted or not.
    """

    __slots__ = ("_channel", "_deletes_from", "_ends", "_from_history", "_next", "_watch", "looked")

    def __init__(
        self,
        channel: Channel,
        watch: Watch,
        starts: Mapping[int, int],
        deletes_from: Mapping[int, int],
        *,
        from_history: bool = False,
    ) -> None:
        self.looked = 0
        self._channel = channel
        self._watch = watch
        self._next = dict(starts)
        self._deletes_from = deletes_from
        self._ends = {partition: channel.positions[partition] for partition in starts}
        self._from_history = from_history

    @classmethod
    def snapshot(cls, channel: Channel, watch: Watch) -> "Walk":
        """The state now."""
        partitions = channel.partitions_of(watch)
        ends = {partition: channel.positions[partition] for partition in partitions}
        return cls(channel, watch, dict.fromkeys(partitions, 0), ends)

    @property
    def done(self) -> bool:
        """Whether all up to where the channel was when it began, or went on, has been pulled."""
        return not self._next

    @property
    def current(self) -> bool:
        """Whether all up to where the channel is now has been pulled."""
        now = self._channel.positions
        return not self._next and all(end == now[partition] for partition, end in self._ends.items())

    @property
    def of_history(self) -> bool:
        """Whether it tells records, not the state."""
        return self._from_history

    @property
    def broken(self) -> bool:
        """Whether some of what is still to be told is no longer kept: the reader was too slow."""
        if self._watch.id is not None and not self._from_history and self._channel.table.get(self._watch.id):
            return False
        floors = self._floors()
        return any(floors[partition] > self._needed_from(partition) for partition in self._ends)

    def pull(self, room_bytes: int = PULL_BYTES) -> list[Event]:
        """The next events that the watch has to be told; may be empty before the walk is done.

        Costs a look at SCAN events at most. Walks of the same watch that began in different places soon pull the same
        runs: a run ends where an offset says so, or with the event that fills `room_bytes`.
        """
        partition, start = next(iter(self._next.items()))
        limit = SCAN if self._watch.narrow else min(SCAN, _LOOK)
        found = self._look(partition, start, limit)
        wants, wanted = self._filter(partition, start), []
        for looked, event in enumerate(found, 1):
            if wants is not None and not wants(event):
                continue
            wanted.append(event)
            room_bytes -= len(event.data or b"")
            if room_bytes <= 0 or (event.offset % RUN == RUN - 1 and len(wanted) >= _SHORTEST_RUN):
                self._move_on(partition, event.offset + 1, looked)
                return wanted
        self._move_on(partition, found[-1].offset + 1 if len(found) == limit else None, len(found))
        return wanted

    def _move_on(self, partition: int, position: int | None, looked: int) -> None:
        self.looked += looked
        if position is None:
            del self._next[partition]
        else:
            self._next[partition] = position

    def go_on(self) -> None:
        """Once it is done: walk over what has changed since it began, deletes included."""
        now = self._channel.positions
        self._deletes_from = self._ends
        self._next = {partition: end for partition, end in self._ends.items() if end < now[partition]}
        self._ends = {partition: now[partition] for partition in self._ends}

    def _look(self, partition: int, start: int, limit: int) -> list[Event]:
        stop = self._ends[partition]
        if self._from_history and self._channel.history is not None:
            return self._channel.history.windows[partition].events(start, stop, limit)
        if self._watch.id is None:
            return self._channel.table.logs[partition].events(start, stop, limit)
        event = self._channel.table.get(self._watch.id)
        return [event] if event and event.partition == partition and start <= event.offset < stop else []

    def _filter(self, partition: int, start: int) -> Callable[[Event], bool] | None:
        """Whether an event from `start` on has to be told; None where each of them has."""
        deletes_from, covers, all_covered = self._deletes_from[partition], self._watch.covers, not self._watch.narrow
        if all_covered and start >= deletes_from:
            return None

        def wants(event: Event) -> bool:
            told = event.data is not None or event.offset >= deletes_from
            return told and (all_covered or covers(event.id))

        return wants

    def _floors(self) -> Sequence[int]:
        if self._from_history and self._channel.history is not None:
            return self._channel.history.floors
        return self._channel.table.floors

    def _needed_from(self, partition: int) -> int:
        """From which position on nothing, or (of the state) no delete, may be missing."""
        position = self._next.get(partition, self._ends[partition])
        return position if self._from_history else max(position, self._deletes_from[partition])
