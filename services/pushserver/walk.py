"""What a watch is told before it is live: a snapshot or a resume, pulled in pieces."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol

from services.pushserver.channel import Channel
from shared.event import Event
from shared.resource import Watch

SCAN: Final = 1024
"""Events looked at in one pull: about 200 µs for a prefix that matches nothing."""


class Shelf(Protocol):
    """One partition's events by offset: of the table or of the history."""

    def events(self, start: int, stop: int, limit: int) -> list[Event]:
        """At most `limit` events with `start` <= offset < `stop`, in order."""


class Walk:
    """A walk over the partitions of a channel, from a position in each to where the channel is when it begins.

    It keeps offsets only, whatever its length. `deletes_from` says for each partition from which offset on a deleted
    resource is told: who knew nothing before needs no deletes of before. What changes while the walk goes on is in its
    `tail`.
    """

    __slots__ = ("_channel", "_deletes_from", "_ends", "_from_history", "_next", "_watch")

    def __init__(
        self,
        channel: Channel,
        watch: Watch,
        starts: Mapping[int, int],
        deletes_from: Mapping[int, int],
        *,
        from_history: bool = False,
    ) -> None:
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
        """Whether all up to the beginning of the walk has been pulled."""
        return not self._next

    @property
    def broken(self) -> bool:
        """Whether the history has moved on beyond the place where this walk is: the reader was too slow."""
        history = self._channel.history
        if not self._from_history or history is None:
            return False
        return any(history.windows[partition].floor > position for partition, position in self._next.items())

    def pull(self) -> list[Event]:
        """The next events that the watch has to be told; may be empty though the walk isn't done."""
        partition, start = next(iter(self._next.items()))
        if self._watch.id is not None and not self._from_history:
            del self._next[partition]
            return self._wanted(self._newest(partition, start, self._ends[partition]))
        found = self._shelf(partition).events(start, self._ends[partition], SCAN)
        if len(found) < SCAN:
            del self._next[partition]
        else:
            self._next[partition] = found[-1].offset + 1
        return self._wanted(found)

    def tail(self) -> list[Event]:
        """What has changed since the walk began, deletes included."""
        changed: list[Event] = []
        now = self._channel.positions
        for partition, end in self._ends.items():
            if end < now[partition]:
                changed += self._shelf(partition).events(end, now[partition], now[partition] - end)
        return [event for event in changed if self._watch.covers(event.id)]

    @property
    def ends(self) -> Sequence[int]:
        """The positions of the channel's partitions when the walk began."""
        return [self._ends.get(partition, now) for partition, now in enumerate(self._channel.positions)]

    def _newest(self, partition: int, start: int, stop: int) -> list[Event]:
        event = self._channel.table.get(self._watch.id or "")
        return [event] if event and event.partition == partition and start <= event.offset < stop else []

    def _shelf(self, partition: int) -> Shelf:
        if self._from_history and self._channel.history is not None:
            return self._channel.history.windows[partition]
        return self._channel.table.logs[partition]

    def _wanted(self, events: Iterable[Event]) -> list[Event]:
        covers, deletes_from = self._watch.covers, self._deletes_from
        return [
            event
            for event in events
            if covers(event.id) and (event.data is not None or event.offset >= deletes_from[event.partition])
        ]
