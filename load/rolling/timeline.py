"""What happened when: who came back, who was sent away, and how many each server had."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Window(NamedTuple):
    """A time in which watchers are sent away: of a server, or of the front door."""

    name: str
    begin_s: float
    end_s: float


class Sample(NamedTuple):
    """How many connections each server had."""

    at_s: float
    connections: Mapping[str, int]


@dataclass
class Timeline:
    """Times are seconds since it was begun; `reconnects` are those at which a connection was accepted."""

    reconnects: list[float] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    sent_away: int = 0
    cut: int = 0
    longest_away_s: float = 0
    _zero_s: float = field(default_factory=time.monotonic)

    def begin(self) -> None:
        """Everybody is there: what has happened so far doesn't count."""
        self._zero_s = time.monotonic()
        self.reconnects.clear()
        self.failures.clear()

    def now_s(self) -> float:
        """The time."""
        return time.monotonic() - self._zero_s

    def accepted(self) -> None:
        """A connection was taken in."""
        self.reconnects.append(self.now_s())

    def synced(self, away_since: float | None) -> None:
        """A watcher has its state again; it had it last at that time, or never."""
        if away_since is not None:
            self.longest_away_s = max(self.longest_away_s, self.now_s() - away_since)

    def ended(self, *, told: bool) -> None:
        """A connection has ended, with a `goaway` or without."""
        if told:
            self.sent_away += 1
        else:
            self.cut += 1

    def fail(self, why: str) -> None:
        """No connection came about, or it broke."""
        self.failures[why] += 1

    def per_second(self) -> list[int]:
        """How many came back in each second from the beginning to now."""
        counts = Counter(int(at_s) for at_s in self.reconnects)
        return [counts[second] for second in range(int(self.now_s()) + 1)]
