"""Openings: watches that are on their way to being live."""

from collections.abc import Sequence
from typing import Final

from services.pushserver import frames
from services.pushserver.pieces import PIECES
from services.pushserver.resume import Begin
from services.pushserver.subscription import Subscription
from services.pushserver.walk import Walk
from services.pushserver.wire import Wire

PIECE_BYTES: Final = 32 * 1024
PULL_COST: Final = 512
LOOK_COST: Final = 16
"""What a pull, and a look at an event, count as in bytes written: looking costs time too."""


class Opening:
    """What is still to be told of a watch's initial state."""

    __slots__ = ("_walk", "ref", "reset", "resumed", "subscription")

    def __init__(self, subscription: Subscription, begin: Begin, ref: object = None) -> None:
        self.subscription = subscription
        self._walk = begin.walk
        self.reset = begin.reset
        self.resumed = begin.resumed
        self.ref = ref

    @classmethod
    def again(cls, subscription: Subscription, reason: str) -> "Opening":
        """A watch of state that begins again: a `reset` with its reason, and a snapshot."""
        return cls(subscription, Begin(Walk.snapshot(subscription.channel, subscription.watch), reset=reason))

    @property
    def broken(self) -> bool:
        """Whether the reader was too slow: what it is still to be told is no longer kept."""
        return self._walk is not None and self._walk.broken

    @property
    def told(self) -> bool:
        """Whether all that there is now has been pulled."""
        return self._walk is None or self._walk.current

    def start_over(self) -> bool:
        """Begin again with a `reset` and a snapshot; False where records are told, which can't be had again."""
        if self._walk is None or self._walk.of_history:
            return False
        self._walk = Walk.snapshot(self.subscription.channel, self.subscription.watch)
        self.reset, self.resumed = "expired", False
        return True

    def pull(self, wire: Wire) -> tuple[list[bytes], int]:
        """The next frames, about PIECE_BYTES of them, and what it cost."""
        pieces = []
        if self.reset:
            pieces.append(wire.control(frames.reset(self.subscription.watch.label, self.reset)))
            self.reset = None
        cost = PULL_COST
        while self._walk is not None and not self.told:
            piece, more = self._pull(self._walk, wire)
            if piece:
                pieces.append(piece)
            cost += more
            if cost >= PIECE_BYTES:
                break
        return pieces, cost

    def _pull(self, walk: Walk, wire: Wire) -> tuple[bytes, int]:
        if walk.done:
            walk.go_on()
        looked = walk.looked
        piece = PIECES.piece(self.subscription.channel, wire, walk.pull(PIECE_BYTES))
        return piece, len(piece) + PULL_COST + LOOK_COST * (walk.looked - looked)

    def synced_frame(self, cursor: str | None) -> frames.Frame:
        """What says that the initial state is told."""
        deprecation = self.subscription.channel.collection.deprecation
        note = None if deprecation is None else deprecation.note
        label = self.subscription.watch.label
        return frames.synced(label, cursor, resumed=self.resumed, ref=self.ref, deprecated=note)


def synced_frames(told: Sequence[Opening], wire: Wire, cursor: str | None) -> list[bytes]:
    """What says that the initial state of each is told.

    A connection's cursor is as long as its list of watches, and one for all of them: so only the last to come, when
    `cursor` is none but None, carries it.
    """
    if not told:
        return []
    before = [wire.control(opening.synced_frame(None)) for opening in told[:-1]]
    return [*before, wire.control(told[-1].synced_frame(cursor), cursor)]


class Openings:
    """The openings of one connection, told one after another.

    `together`: those that are done are held until all are, so that every snapshot comes before every `synced`.
    """

    __slots__ = ("_held", "_queue", "_together")

    def __init__(self, *, together: bool) -> None:
        self._together = together
        self._queue: list[Opening] = []
        self._held: list[Opening] = []

    def __bool__(self) -> bool:
        return bool(self._queue)

    @property
    def head(self) -> Opening:
        """The one whose turn it is."""
        return self._queue[0]

    def add(self, opening: Opening) -> None:
        """Put one more at the end."""
        self._queue.append(opening)

    def forget(self, subscription: Subscription) -> list[Opening]:
        """Drop the opening of a watch; returns whose `synced` waited for it alone."""
        self._queue = [opening for opening in self._queue if opening.subscription is not subscription]
        self._held = [opening for opening in self._held if opening.subscription is not subscription]
        return self._release()

    def finish(self) -> list[Opening]:
        """Take the head off, which is done; returns whose `synced` is to be told now."""
        self._held.append(self._queue.pop(0))
        return self._release()

    def _release(self) -> list[Opening]:
        if self._together and self._queue:
            return []
        released, self._held = self._held, []
        return released
