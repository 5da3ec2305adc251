"""Whether much or little happens: when the broker should gather records, and when it should answer at once."""

from typing import Final

BUSY_PER_S: Final = 1000.0
QUIET_PER_S: Final = 300.0
_WINDOW_S: Final = 0.1


class Pace:
    """The rate of records over windows of 100 ms; between the two thresholds it stays what it was."""

    def __init__(self, now_s: float, *, busy: bool = False) -> None:
        self.busy = busy
        self._since_s = now_s
        self._records = 0

    def count(self, records: int, now_s: float) -> bool:
        """Count a cycle's records; returns whether `busy` has changed."""
        self._records += records
        elapsed_s = now_s - self._since_s
        if elapsed_s < _WINDOW_S:
            return False
        rate, was_busy = self._records / elapsed_s, self.busy
        self._records, self._since_s = 0, now_s
        self.busy = rate >= BUSY_PER_S or (was_busy and rate >= QUIET_PER_S)
        return self.busy != was_busy
