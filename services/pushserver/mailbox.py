"""What waits for one connection while its socket takes nothing.

In state mode the newest change of a resource takes the place of the one that waits (its place in the queue stays the
old one: a resource that changes all the time isn't put off for ever), and the one replaced counts as elided. In log
mode everything waits in order: whole deliveries, whose bytes all readers of the watch share. Both are bounded by bytes.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import count

from services.pushserver.change import MARK_EVERY, Change, Delivery
from services.pushserver.channel import Channel
from services.pushserver.counters import Counters
from services.pushserver.wire import Wire

Positions = Mapping[Channel, Sequence[int]]


class Waiting:
    """A change that waits; `first` is the offset at which its resource began to wait."""

    __slots__ = ("change", "first")

    def __init__(self, change: Change) -> None:
        self.change = change
        self.first = change.event.offset

    @property
    def size(self) -> int:
        """About how many bytes it holds."""
        return self.change.size


class Mailbox:
    """An ordered, bounded queue of changes, and how far the connection has come while it isn't empty.

    Within a partition `first` increases along the queue, so once an entry is written everything of its partition up to
    `first` has been written, or elided by a newer change that was written or still waits. `written` has the positions
    of that for each channel of which something waits. `elided` is a total, and counted for the server too.
    """

    __slots__ = ("_counters", "_entries", "_limit_bytes", "_log_keys", "elided", "size", "written")

    def __init__(self, limit_bytes: int, counters: Counters) -> None:
        self._limit_bytes = limit_bytes
        self._counters = counters
        self._entries: OrderedDict[Hashable, Waiting | Delivery] = OrderedDict()
        self._log_keys = count()
        self.written: dict[Channel, list[int]] = {}
        self.size = 0
        self.elided = 0

    def __len__(self) -> int:
        return len(self._entries)

    def begin(self, channel: Channel, before: Sequence[int]) -> None:
        """Something of a channel is about to wait; all before these positions was written."""
        self.written.setdefault(channel, list(before))

    def keep(self, channel: Channel, delivery: Delivery, *, conflate: Iterable[bool] | None) -> bool:
        """Let the changes of a delivery wait; False when they don't all fit.

        `conflate` says for each whether a newer one may take its place; None: none may, and it is the only watch's.
        """
        self.begin(channel, delivery.before)
        if conflate is None:
            return self.put_whole(delivery)
        changes = zip(delivery.changes, conflate, strict=False)
        return all(self.put(change, conflate=may_go) for change, may_go in changes)

    def put(self, change: Change, *, conflate: bool) -> bool:
        """Let a change wait; False, and nothing is kept, when it doesn't fit."""
        known = self._entries.get(change.label) if conflate else None
        waiting = known if isinstance(known, Waiting) else None
        if not self._grow(change.size - (waiting.size if waiting else 0)):
            return False
        if waiting is None:
            self._entries[change.label if conflate else next(self._log_keys)] = Waiting(change)
        else:
            waiting.change = change
            self.elided += 1
            self._counters.elided += 1
        return True

    def put_whole(self, delivery: Delivery) -> bool:
        """Let a delivery wait for a connection whose only watch is in log mode; False when it doesn't fit."""
        if not self._grow(delivery.size):
            return False
        self._entries[next(self._log_keys)] = delivery
        return True

    def flush(self, wire: Wire, limit_bytes: int, cursor: Callable[[Positions | None], str | None]) -> list[bytes]:
        """The frames of the next changes, together at least one and about `limit_bytes`, which count as written.

        Where the wire marks progress, cursors stand between them: `cursor` makes them of positions, or of all that this
        server has read when it is given None, which is so once nothing waits any more.
        """
        taken = self._take(limit_bytes)
        pieces: list[bytes] = []
        for number, waiting in enumerate(taken, 1):
            if isinstance(waiting, Delivery):
                pieces.append(self._write_whole(waiting, wire))
                continue
            pieces.append(self._write(waiting, wire))
            last = number == len(taken)
            if wire.marks_progress and (last or number % MARK_EVERY == 0):
                pieces.append(wire.progress(cursor(None if last and not self._entries else self.written)))
        return pieces

    def _write(self, waiting: Waiting, wire: Wire) -> bytes:
        change = waiting.change
        self.written[change.channel][change.event.partition] = waiting.first + 1
        self._counters.deliveries += 1
        return change.frame(wire)

    def _write_whole(self, delivery: Delivery, wire: Wire) -> bytes:
        """Its bytes tell the progress by themselves."""
        written = self.written[delivery.changes[0].channel]
        for partition, position in delivery.reached.items():
            written[partition] = position
        self._counters.deliveries += len(delivery.changes)
        return delivery.payload(wire)

    def _grow(self, size: int) -> bool:
        if self.size + size > self._limit_bytes:
            return False
        self.size += size
        return True

    def _take(self, limit_bytes: int) -> list[Waiting | Delivery]:
        taken: list[Waiting | Delivery] = []
        room = limit_bytes
        while self._entries and (room > 0 or not taken):
            waiting = self._entries.popitem(last=False)[1]
            taken.append(waiting)
            room -= waiting.size
        self.size -= sum(waiting.size for waiting in taken)
        return taken

    def forget_channel(self, channel: Channel) -> None:
        """Drop what waits of a channel: its epoch has ended."""
        self.forget(lambda change: change.channel is channel)
        self.written.pop(channel, None)

    def forget(self, unwanted: Callable[[Change], bool]) -> None:
        """Drop what waits and isn't wanted any more."""
        for key, waiting in list(self._entries.items()):
            # A delivery is of one log watch, which overlaps no other: none of it is wanted, or all.
            change = waiting.changes[0] if isinstance(waiting, Delivery) else waiting.change
            if unwanted(change):
                del self._entries[key]
                self.size -= waiting.size
