"""What a sample of the connections received, kept with its time, to be judged when nothing is measured any more."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Final

from load.bench.specimen import Sighting, sightings

_PERCENTILES: Final = (50, 99)


class Journal:
    """The reads of one connection, in order."""

    __slots__ = ("_reads",)

    def __init__(self) -> None:
        self._reads: list[tuple[int, bytes]] = []

    def note(self, now_ns: int, data: bytes) -> None:
        """Keep a read."""
        self._reads.append((now_ns, data))

    def clear(self) -> None:
        """Forget what was read so far."""
        self._reads.clear()

    def arrivals(self) -> Iterator[tuple[int, Sighting]]:
        """Each data frame, and when the read that completed its stamp returned."""
        ends = list(accumulate(len(data) for _, data in self._reads))
        for seen in sightings(b"".join(data for _, data in self._reads)):
            yield self._reads[bisect_left(ends, seen.at)][0], seen


@dataclass
class Findings:
    """The verdict over several journals; `missing` counts values that were skipped, elided ones included."""

    frames: int = 0
    disordered: int = 0
    missing: int = 0
    delays_ns: list[int] = field(default_factory=list)
    arrived_ns: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, journals: Iterable[Journal], *, from_ns: int = 0, until_ns: int = 1 << 63) -> "Findings":
        """Judge the journals; only values sent between the two times count for the delays."""
        findings = cls()
        for journal in journals:
            findings._judge(journal, from_ns, until_ns)
        findings.delays_ns.sort()
        return findings

    def _judge(self, journal: Journal, from_ns: int, until_ns: int) -> None:
        newest: dict[bytes, tuple[int, int]] = {}
        for at_ns, seen in journal.arrivals():
            version, seq = newest.get(seen.resource, (-1, 0))
            self.frames += 1
            self.disordered += seen.version <= version or seen.seq <= seq
            self.missing += max(0, seen.seq - seq - 1)
            newest[seen.resource] = (seen.version, seen.seq)
            self.arrived_ns[seen.seq] = at_ns
            if from_ns <= seen.sent_ns < until_ns:
                self.delays_ns.append(at_ns - seen.sent_ns)

    def summary(self) -> Mapping[str, Any]:
        """As plain numbers, times in milliseconds; `arrived_ns` has the newest arrival of each number."""
        delays = self.delays_ns
        ranks = {f"p{rank}_ms": _percentile(delays, rank) / 1e6 for rank in _PERCENTILES if delays}
        return {
            "frames": self.frames,
            "disordered": self.disordered,
            "missing": self.missing,
            "longest_ms": delays[-1] / 1e6 if delays else 0.0,
            **ranks,
        }


def _percentile(ordered: list[int], rank: int) -> int:
    return ordered[min(len(ordered) - 1, len(ordered) * rank // 100)]
