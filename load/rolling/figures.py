"""What a run comes to, and which promises it breaks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from load.rolling.account import Findings
from load.rolling.scale import Scale
from load.rolling.timeline import Timeline, Window

MOST_SHARE: Final = 1.5
"""How many times its even share a server may have afterwards."""
MOST_FLATNESS: Final = 2.0
"""How many times the mean of a window its highest second may be; chance alone gives 1.4 at 50 a second."""
MOST_REPEATS: Final = 1
MOST_AWAY_S: Final = 10.0


@dataclass(frozen=True)
class WindowFigures:
    """The reconnects of a window: how many, their mean and highest second, and the latter ÷ the former."""

    name: str
    reconnects: int
    mean_per_s: float
    highest_per_s: int

    @classmethod
    def of(cls, window: Window, per_second: Sequence[int], late_s: float) -> "WindowFigures":
        """Of a window, and of the `late_s` in which the last of it may come back."""
        seconds = per_second[int(window.begin_s) : int(window.end_s + late_s) + 1]
        mean = sum(seconds) / max(1.0, window.end_s - window.begin_s)
        return cls(window.name, sum(seconds), round(mean, 1), max(seconds, default=0))

    @property
    def flatness(self) -> float:
        """How many times the mean the highest second is."""
        return round(self.highest_per_s / self.mean_per_s, 2) if self.mean_per_s else 0.0


@dataclass(frozen=True)
class Outcome:
    """Everything that is said about a run."""

    windows: Sequence[WindowFigures]
    shares: Mapping[str, float]
    findings: Findings
    cut: int
    sent_away: int
    failures: Mapping[str, int]
    longest_away_s: float

    @classmethod
    def of(cls, timeline: Timeline, findings: Findings, scale: Scale) -> "Outcome":
        """What came of it; the shares are those of the last sample."""
        per_second = timeline.per_second()
        last = timeline.samples[-1].connections
        return cls(
            windows=[WindowFigures.of(window, per_second, scale.late_s) for window in timeline.windows],
            shares={server: round(count / scale.even_share, 2) for server, count in last.items()},
            findings=findings,
            cut=timeline.cut,
            sent_away=timeline.sent_away,
            failures=dict(timeline.failures),
            longest_away_s=round(timeline.longest_away_s, 2),
        )

    def broken(self, *, cuts: int = 0) -> list[str]:
        """The promises that were broken, a line each; `cuts` is how many may have lost their connection untold."""
        return [*self._wrongs(), *self._unevenness(), *([f"{self.cut} were cut"] if self.cut > cuts else [])]

    def as_json(self) -> Mapping[str, Any]:
        """For a file."""
        windows = [{**asdict(window), "flatness": window.flatness} for window in self.windows]
        return {**asdict(self), "windows": windows}

    def _wrongs(self) -> Iterator[str]:
        found = self.findings
        for name in ("disordered", "resets", "lost", "stale"):
            if getattr(found, name):
                yield f"{name}: {getattr(found, name)}"
        if not found.told:
            yield "nobody was told anything"
        if found.most_repeats > MOST_REPEATS:
            yield f"a resource was repeated {found.most_repeats} times after one reconnect"

    def _unevenness(self) -> Iterator[str]:
        for server, share in self.shares.items():
            if share > MOST_SHARE:
                yield f"{server} has {share} × its share"
        for window in self.windows:
            if window.flatness > MOST_FLATNESS or not window.reconnects:
                yield f"{window.name}: {window.highest_per_s} reconnects in a second, {window.mean_per_s} on average"
        if self.longest_away_s > MOST_AWAY_S:
            yield f"a watcher was away for {self.longest_away_s} s"
