"""The token of a client: kept until it ends soon, or a server says that it is good no more."""

from math import inf
from typing import Final

_EARLY_S: Final = 60.0
_LATE_S: Final = 30.0
_LEAST_S: Final = 5.0
"""What lives shorter, or is over already, is shown all the same: to ask again at once would be to ask for ever."""


class TokenKeeper:
    """`value` is what to show; `renewable` says whether there is a callback to ask for another."""

    __slots__ = ("_early_at", "_stale", "asking", "late_at", "renewable", "value")

    def __init__(self, *, renewable: bool, value: str | None = None) -> None:
        self.renewable = renewable
        self.value = value
        self.asking = False
        self.late_at = inf
        """When what shows it is to be replaced by what shows another."""
        self._early_at = inf
        self._stale = renewable

    def wanted(self, now: float) -> bool:
        """Whether there is none that is worth showing: it was refused, or ends within a minute."""
        return self._stale or (self.renewable and now >= self._early_at)

    def refuse(self) -> None:
        """It has expired, or was not accepted."""
        self._stale = self.renewable

    def take(self, value: str | None, now: float, lives_s: float | None) -> None:
        """What the callback gave, and how long that is good for, where it can be read."""
        self.value = value
        self._stale = self.asking = False
        self._early_at = self.late_at = inf
        if self.renewable and lives_s is not None and lives_s > _LEAST_S:
            # One that is short-lived from the start is not asked for again at once.
            self._early_at = now + max(lives_s - _EARLY_S, lives_s / 2)
            self.late_at = now + max(lives_s - _LATE_S, lives_s * 3 / 4)
