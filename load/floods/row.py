"""What one attack did, as a row of the table."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from load.floods.stronghold import Latency

TARGET: Final = 2.0
"""How much longer than without an attack the slowest in a hundred may take."""
_HEAD: Final = ("attack", "attempts/s", "p50 ms", "p99 ms", "p99 without, ms", "ratio", "the server says", "memory MB")
_MIB: Final = 1024 * 1024


class Row(NamedTuple):
    """`quiet_p99_ms` is the mean of before and after; `refused` counts by the word of the server's metrics."""

    attack: str
    attempts_per_s: float
    latency: Latency
    quiet_p99_ms: float
    refused: Mapping[str, float]
    before_bytes: int
    after_bytes: int

    @property
    def ratio(self) -> float:
        """Of the p99 under attack to the one without."""
        return self.latency.p99_ms / self.quiet_p99_ms

    def cells(self) -> Iterator[str]:
        """For the table."""
        yield self.attack
        yield f"{self.attempts_per_s:.0f}"
        yield f"{self.latency.p50_ms:.1f}"
        yield f"{self.latency.p99_ms:.1f}"
        yield f"{self.quiet_p99_ms:.1f}"
        yield f"{self.ratio:.1f} ×"
        yield ", ".join(f"{word} {total:.0f}" for word, total in sorted(self.refused.items())) or "–"
        yield f"{self.before_bytes / _MIB:.0f} → {self.after_bytes / _MIB:.0f}"


def markdown(rows: Iterable[Row]) -> str:
    """The table, for a terminal and a document alike."""
    lines = [_HEAD, ("---",) * len(_HEAD), *(tuple(row.cells()) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
