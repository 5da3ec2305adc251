"""One timer for all: every connection has a place on a wheel, and its turn comes once in a revolution or so."""

import random
from collections.abc import Iterable, Iterator

from services.pushserver.subscriber import Subscriber

SLOTS = 64
_JITTER = 0.2


class Wheel:
    """Spreads subscribers over `SLOTS` slots; `turn` is to be called `SLOTS` times in a bookmark interval.

    It has no clock: whoever calls `turn` decides how fast it turns.
    """

    def __init__(self, seed: int | None = None) -> None:
        self._random = random.Random(seed)  # noqa: S311 -- spreads load, keeps no secret
        # A subscriber's next turn is up to 1.2 revolutions away.
        self._slots: list[set[Subscriber]] = [set() for _ in range(2 * SLOTS)]
        self._now = 0
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Subscriber]:
        for slot in self._slots:
            yield from tuple(slot)

    def add(self, subscriber: Subscriber) -> None:
        """Give a subscriber its first turn in 0.8 to 1.2 revolutions."""
        self._size += 1
        self._place(subscriber, self._random.uniform(1 - _JITTER, 1 + _JITTER))

    def scatter(self, subscribers: Iterable[Subscriber]) -> None:
        """Give each of these its next turn anywhere within a revolution: some came all at once, and still are close."""
        for subscriber in subscribers:
            self._slots[subscriber.slot].discard(subscriber)
            self._place(subscriber, self._random.random())

    def _place(self, subscriber: Subscriber, revolutions: float) -> None:
        ahead = max(1, round(SLOTS * revolutions))
        subscriber.slot = (self._now + ahead) % len(self._slots)
        self._slots[subscriber.slot].add(subscriber)

    def remove(self, subscriber: Subscriber) -> None:
        """Take a subscriber off; nothing happens to one that isn't on."""
        if subscriber.slot >= 0:
            self._size -= 1
            self._slots[subscriber.slot].discard(subscriber)
            subscriber.slot = -1

    def turn(self) -> list[Subscriber]:
        """Move on by one slot, and return whose turn it is; they are on the wheel again."""
        self._now = (self._now + 1) % len(self._slots)
        due = list(self._slots[self._now])
        self._slots[self._now].clear()
        for subscriber in due:
            self._place(subscriber, self._random.uniform(1 - _JITTER, 1 + _JITTER))
        return due
