"""Openings: watches that are on their way to being live."""

from typing import Final

from services.pushserver import frames
from services.pushserver.change import Change
from services.pushserver.resume import Begin
from services.pushserver.subscription import Subscription
from services.pushserver.wire import Wire
from shared.event import Event

PIECE_BYTES: Final = 32 * 1024
PULL_COST: Final = 64
"""What a pull that finds nothing counts as, in bytes written: looking costs time too."""


class Opening:
    """What is still to be told of a watch's initial state.

    `walk` is None once that is told; `live` once the hub tells the watch of changes.
    """

    __slots__ = ("live", "ref", "reset", "resumed", "subscription", "walk")

    def __init__(self, subscription: Subscription, begin: Begin, ref: object = None) -> None:
        self.subscription = subscription
        self.walk = begin.walk
        self.reset = begin.reset
        self.resumed = begin.resumed
        self.ref = ref
        self.live = False

    @property
    def broken(self) -> bool:
        """Whether the reader was too slow for the history that it is told."""
        return self.walk is not None and self.walk.broken

    @property
    def told(self) -> bool:
        """Whether all that was there when it began has been pulled."""
        return self.walk is None or self.walk.done

    def pull(self, wire: Wire) -> tuple[list[bytes], int]:
        """The next frames, about PIECE_BYTES of them, and what it cost."""
        pieces = []
        if self.reset:
            pieces.append(wire.control(frames.reset(self.subscription.watch.label, self.reset)))
            self.reset = None
        cost = PULL_COST
        while self.walk is not None and not self.walk.done and cost < PIECE_BYTES:
            told = [self.frame(event, wire) for event in self.walk.pull()]
            pieces += told
            cost += sum(map(len, told)) + PULL_COST
        return pieces, cost

    def frame(self, event: Event, wire: Wire) -> bytes:
        """The frame of an event that only this connection is told now."""
        return Change(self.subscription.channel, event).frame(wire)

    def synced_frame(self, cursor: str | None) -> frames.Frame:
        """What says that the initial state is told."""
        return frames.synced(self.subscription.watch.label, cursor, resumed=self.resumed, ref=self.ref)


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
