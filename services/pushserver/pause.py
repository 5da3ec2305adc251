"""How long the event loop was away at a time."""

import asyncio
from typing import Final

EVERY_S: Final = 0.05
"""Costs 0.2 % of a core; each wake-up does. A pause is seen as shorter than it was, by so much at the most."""


class LoopPause:
    """Sees the pauses of the running event loop, by how late it calls a timer."""

    def __init__(self) -> None:
        self._longest_s = 0.0
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Look from now on."""
        loop = asyncio.get_running_loop()
        self._due = loop.time() + EVERY_S
        self._timer = loop.call_at(self._due, self._look)

    def stop(self) -> None:
        """Look no longer."""
        if self._timer is not None:
            self._timer.cancel()

    def take_longest_s(self) -> float:
        """The longest pause since the last call, in seconds; one that lasts still is not in it."""
        longest_s, self._longest_s = self._longest_s, 0.0
        return longest_s

    def _look(self) -> None:
        late_s = asyncio.get_running_loop().time() - self._due
        self._longest_s = max(self._longest_s, late_s)
        self.start()
