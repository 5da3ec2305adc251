"""Which transport: the first that works, remembered for the client's life."""

from collections.abc import Sequence
from typing import Final

_ATTEMPTS: Final = 2


class Negotiation:
    """`transport` is the one to try now.

    One that failed to open twice in a row, or that was silent, is stepped around; the one that works stays.
    """

    __slots__ = ("_failures", "_place", "_transports")

    def __init__(self, transports: Sequence[str]) -> None:
        self._transports = tuple(transports)
        self._place = 0
        self._failures = 0

    @property
    def transport(self) -> str:
        """`ws`, `sse` or `poll`."""
        return self._transports[self._place]

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

    def _step(self) -> None:
        self._failures = 0
        self._place = (self._place + 1) % len(self._transports)
