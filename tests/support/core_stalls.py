"""Where in what it is told a reader has stalled: a search that never stalls somewhere says nothing about that place."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from services.pushserver.subscriber import Subscriber
from tests.support.core_output import FakeSink, Said

OPENING: Final = "in the middle of an initial state"
RESET: Final = "in the middle of an epoch change"
SYNCED: Final = "with a synced, while other watches wait"
CAUGHT_UP: Final = "with the last synced"
FLUSH: Final = "in the middle of a flush"
LIVE: Final = "with a live batch, or the last of a flush"
BOOKMARK: Final = "at a bookmark"
RENEWED: Final = "while something waits, and then the epoch ends"
DUE: Final = "while something waits, and then a bookmark is due"
POINTS: Final = frozenset({OPENING, RESET, SYNCED, CAUGHT_UP, FLUSH, LIVE, BOOKMARK, RENEWED, DUE})
Stalls = Counter[str]


class StallingSink(FakeSink):
    """A sink that counts where it was full."""

    def __init__(self, read: Callable[[bytes], Iterator[Said]], stalls: Stalls) -> None:
        super().__init__()
        self._read = read
        self._stalls = stalls

    def write(self, data: bytes) -> None:
        """Take bytes."""
        before = self.subscriber.blocked
        super().write(data)
        if self.subscriber.blocked and not before:
            told = {said.frame["event"] for said in self._read(data) if said.frame is not None}
            self._stalls[_point(told, self.subscriber)] += 1

    def note(self, what: str) -> None:
        """Something happens: count it if that is while the reader stalls and something waits for it."""
        if self.subscriber.blocked and not self.subscriber.ended and not self.subscriber.caught_up:
            self._stalls[what] += 1


def _point(told: set[str], subscriber: Subscriber) -> str:
    synced = all(subscription.synced for subscription in subscriber.subscriptions)
    if "bookmark" in told:
        return BOOKMARK
    if "synced" in told:
        return CAUGHT_UP if synced else SYNCED
    if not synced:
        return RESET if "reset" in told else OPENING
    if told <= {"put", "delete"}:
        return LIVE if subscriber.caught_up else FLUSH
    return "at another frame"
