"""How far this server's clock is ahead of the clocks that date records."""

from collections.abc import Sequence
from typing import Any, Final

WINDOW_MS: Final = 150_000
"""What was found stays for one to two of these."""


class ClockAhead:
    """The smallest difference of late between this server's clock and a record's time, as the record arrived.

    Whatever delays a record (the producer, Kafka, this server) makes the difference larger: the smallest is of the
    clocks. Only the last record of a fetch is looked at, and only of what is served: others are of some time ago.
    """

    def __init__(self) -> None:
        self._began_ms = 0
        self._found: list[int | None] = [None, None]

    def note(self, records: Sequence[Any], now_ms: int) -> None:
        """Look at records that have just arrived, all of one partition; those without a time say nothing."""
        self._turn(now_ms)
        if records and records[-1].timestamp > 0:
            ahead_ms, least_ms = now_ms - records[-1].timestamp, self._found[0]
            self._found[0] = ahead_ms if least_ms is None else min(least_ms, ahead_ms)

    def seconds(self, now_ms: int) -> float | None:
        """It; negative when this clock is behind, None when nothing has arrived for some time."""
        self._turn(now_ms)
        return min((ahead_ms / 1000 for ahead_ms in self._found if ahead_ms is not None), default=None)

    def _turn(self, now_ms: int) -> None:
        """Let go of what is too old; a clock that was set begins anew."""
        passed_ms = now_ms - self._began_ms
        if not 0 <= passed_ms < WINDOW_MS:
            self._began_ms = now_ms
            self._found = [None, self._found[0] if 0 <= passed_ms < 2 * WINDOW_MS else None]
