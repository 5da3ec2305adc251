"""Token buckets: how often somebody may do something, and how much at once."""

from collections import OrderedDict
from typing import Final

_MOST_NAMES: Final = 100_000
_LOOKS: Final = 4
"""Names looked at for each one that is new: more are forgotten than come."""


class Bucket:
    """Fills at `rate` a second up to `burst`; times are seconds of any clock that never goes back.

    What is larger than the burst is taken on credit, as soon as anything is there: it is paid off before the next.
    `refusals` counts those since it was full last.
    """

    __slots__ = ("_at", "_level", "refusals")

    def __init__(self, burst: float, now: float) -> None:
        self._level = burst
        self._at = now
        self.refusals = 0

    def take(self, now: float, rate: float, burst: float, cost: float = 1) -> bool:
        """Whether there is something to take from; then `cost` is taken."""
        self._level = min(burst, self._level + (now - self._at) * rate)
        self._at = now
        if self._level >= burst:
            self.refusals = 0
        if self._level < min(cost, 1):
            self.refusals += 1
            return False
        self._level -= cost
        return True

    def full(self, now: float, rate: float, burst: float) -> bool:
        """Whether it is as good as a new one."""
        return self._level + (now - self._at) * rate >= burst

    def wait_s(self, rate: float) -> float:
        """How long after the last look something is there again."""
        return max(0.0, (1 - self._level) / rate)


class Buckets:
    """A bucket for each name; those that are full again are forgotten. `rate` 0: nothing is limited.

    Beyond so many names that none is full (100 000) the oldest are forgotten: who comes under so many names is to be
    stopped by what counts all of them.
    """

    def __init__(self, rate: float, burst: float) -> None:
        self.rate = rate
        self.burst = burst
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, name: str, now: float, cost: float = 1) -> float | None:
        """None when it may be done; else after how many seconds it might."""
        if not self.rate:
            return None
        bucket = self._buckets.get(name)
        if bucket is None:
            self._forget(now)
            bucket = self._buckets[name] = Bucket(self.burst, now)
        if bucket.take(now, self.rate, self.burst, cost):
            return None
        return bucket.wait_s(self.rate)

    def _forget(self, now: float) -> None:
        if len(self._buckets) >= _MOST_NAMES:
            self._buckets.popitem(last=False)
        for _ in range(min(_LOOKS, len(self._buckets))):
            name, bucket = self._buckets.popitem(last=False)
            if not bucket.full(now, self.rate, self.burst):
                self._buckets[name] = bucket
