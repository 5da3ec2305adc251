"""How long to stay away after a failure."""

from collections.abc import Callable
from typing import Final

FIRST_S: Final = 0.5
LONGEST_S: Final = 30.0
_ENOUGH: Final = 16


class Backoff:
    """Full jitter: anything up to twice as long after each failure, so that those who failed together come apart."""

    __slots__ = ("_random", "failures")

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self.failures = 0

    def failed(self) -> float:
        """Count a failure; how long to wait, in seconds."""
        pause_s = self._random() * min(LONGEST_S, FIRST_S * 2.0 ** min(self.failures, _ENOUGH))
        self.failures += 1
        return pause_s

    def worked(self) -> None:
        """Begin anew."""
        self.failures = 0

    def copy(self) -> "Backoff":
        """Another that has failed as often."""
        copied = Backoff(self._random)
        copied.failures = self.failures
        return copied
