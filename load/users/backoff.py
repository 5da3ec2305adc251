"""How long a client waits before it comes back."""

from random import Random
from typing import Final

_FIRST_S: Final = 0.5
_SPREAD: Final = 0.25


class Backoff:
    """Pauses that double up to `most_s`, each at random from nothing to that; what a server asks for is the least."""

    def __init__(self, most_s: float, random: Random) -> None:
        self._most_s = most_s
        self._random = random
        self._failures = 0

    def succeeded(self) -> None:
        """The client was served: the next pause is a short one again."""
        self._failures = 0

    def pause_s(self, asked_s: float | None = None) -> float:
        """The pause before the next try, in seconds; `asked_s` is what the server asked for, if it did."""
        most_s = min(self._most_s, _FIRST_S * 2.0**self._failures)
        self._failures = min(self._failures + 1, 30)
        if asked_s is not None:
            # Never sooner, and a little later, so that those who were told the same don't come back together.
            return asked_s * (1 + _SPREAD * self._random.random())
        return most_s * self._random.random()
