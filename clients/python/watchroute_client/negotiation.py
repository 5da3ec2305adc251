"""Which transport: the first that works, and the way back to those that were stepped around."""

from collections.abc import Callable, Sequence
from math import inf
from typing import Final

_ATTEMPTS: Final = 2
FIRST_REST_S: Final = 60.0
LONGEST_REST_S: Final = 3600.0


class Negotiation:
    """`transport` is the one in use.

    One that failed to open twice in a row, or that was silent, is stepped around.
    It rests, and is tried again beside what works at `try_at`; each rest is twice as long as the one before, up to an
    hour, until the transport has lasted for as long.
    """

    __slots__ = ("_back_at", "_clock", "_failures", "_place", "_random", "_rest_s", "_transports", "_tried", "try_at")

    def __init__(self, transports: Sequence[str], *, clock: Callable[[], float], random: Callable[[], float]) -> None:
        self._transports = tuple(transports)
        self._clock = clock
        self._random = random
        self._place = 0
        self._failures = 0
        self._rest_s = FIRST_REST_S
        self._back_at = -inf
        self._tried = 0
        self.try_at = inf
        """When a better transport is to be tried."""

    @property
    def transport(self) -> str:
        """`ws`, `sse` or `poll`."""
        return self._transports[self._place]

    @property
    def tried(self) -> str:
        """The transport to try now."""
        return self._transports[self._tried]

    def failed_to_open(self, transport: str) -> None:
        """Nobody was there who speaks the protocol."""
        if transport == self.transport:
            self._failures += 1
            if self._failures >= _ATTEMPTS:
                self._step()

    def was_silent(self, transport: str) -> None:
        """A connection brought nothing for so long that it is taken for broken, or for held up by something between."""
        if transport == self.transport:
            self._step()

    def opened(self, transport: str) -> None:
        """A server took it in, or refused in its own words: the way is open."""
        if transport == self.transport:
            self._failures = 0

    def begins_to_try(self) -> None:
        """Until that has worked or failed nothing else is tried."""
        self.try_at = inf

    def not_now(self) -> None:
        """What is in use doesn't work either: try later."""
        self._wait(FIRST_REST_S)

    def try_worked(self) -> None:
        """What was tried is in use from now on."""
        self._place, self._failures = self._tried, 0
        self._back_at = self._clock()
        self.try_at = inf
        if self._place:
            self._rest()

    def try_failed(self) -> None:
        """Go on with the next one before that in use, at once; then rest."""
        self._tried += 1
        if self._tried >= self._place:
            self._rest()
        else:
            self.try_at = self._clock()

    def _step(self) -> None:
        self._failures = 0
        self._place = (self._place + 1) % len(self._transports)
        if self._clock() - self._back_at > LONGEST_REST_S:
            self._rest_s = FIRST_REST_S
        self._rest()

    def _rest(self) -> None:
        self._tried = 0
        self._wait(self._rest_s)
        self._rest_s = min(2 * self._rest_s, LONGEST_REST_S)

    def _wait(self, rest_s: float) -> None:
        """Half as long again at most, and half at least: those who fell together don't come back together."""
        self.try_at = self._clock() + rest_s * (0.5 + self._random()) if self._place else inf
