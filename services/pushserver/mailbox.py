"""What waits for one connection while its socket takes nothing.

In state mode the newest change of a resource takes the place of the one that waits (its place in the queue stays the
old one: a resource that changes all the time isn't put off for ever), and the one replaced counts as elided. In log
mode everything waits in order. Both are bounded by bytes.
"""

from collections import OrderedDict
from collections.abc import Hashable
from itertools import count

from services.pushserver.change import Change


class Waiting:
    """A change that waits; `first` is the offset at which its resource began to wait."""

    __slots__ = ("change", "first")

    def __init__(self, change: Change) -> None:
        self.change = change
        self.first = change.event.offset


class Mailbox:
    """An ordered, bounded queue of changes.

    Within a partition `first` increases along the queue, so after taking an entry everything of its partition up to
    `first` has been taken, or elided by a newer change that was taken or still waits.
    """

    __slots__ = ("_entries", "_limit_bytes", "_log_keys", "elided", "size")

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._entries: OrderedDict[Hashable, Waiting] = OrderedDict()
        self._log_keys = count()
        self.size = 0
        self.elided = 0

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, change: Change, *, conflate: bool) -> bool:
        """Let a change wait; False, and nothing is kept, when it doesn't fit."""
        waiting = self._entries.get(change.label) if conflate else None
        grows = change.size - (waiting.change.size if waiting else 0)
        if self.size + grows > self._limit_bytes:
            return False
        self.size += grows
        if waiting is None:
            self._entries[change.label if conflate else next(self._log_keys)] = Waiting(change)
        else:
            waiting.change = change
            self.elided += 1
        return True

    def take(self, limit_bytes: int) -> list[Waiting]:
        """The next changes, together at least one and about `limit_bytes`."""
        taken: list[Waiting] = []
        room = limit_bytes
        while self._entries and (room > 0 or not taken):
            waiting = self._entries.popitem(last=False)[1]
            taken.append(waiting)
            room -= waiting.change.size
        self.size -= sum(waiting.change.size for waiting in taken)
        return taken

    def forget(self, channel: object) -> None:
        """Drop what waits of one collection: its epoch has ended, and a fresh snapshot will follow."""
        for key, waiting in list(self._entries.items()):
            if waiting.change.channel is channel:
                del self._entries[key]
                self.size -= waiting.change.size
