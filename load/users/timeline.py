"""The figures of a test over time."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

BUSY: Final = 0.8
"""The share of a core from which on a generator's latencies are its own."""


class Reading(NamedTuple):
    """Totals since the start, at a moment.

    `latencies` counts deliveries by their latency in ms, but for those of short polls: theirs is mostly their pause.
    """

    at_s: float
    deliveries: int
    changes: int
    connects: int
    failures: int
    latencies: Mapping[float, int]


class Sample(NamedTuple):
    """What happened between two readings; rates are per second, `busy` is the busiest generator's share of a core."""

    at_s: float
    users: int
    connected: int
    deliveries: float
    changes: float
    connects: float
    p50_ms: float
    p99_ms: float
    failures: int
    busy: float


def sample(before: Reading, now: Reading, *, users: int, connected: int, busy: float) -> Sample:
    """The figures of the time between."""
    took_s = max(now.at_s - before.at_s, 1e-3)
    latencies = {ms: count - before.latencies.get(ms, 0) for ms, count in now.latencies.items()}
    return Sample(
        at_s=round(now.at_s, 1),
        users=users,
        connected=connected,
        deliveries=round((now.deliveries - before.deliveries) / took_s, 1),
        changes=round((now.changes - before.changes) / took_s, 1),
        connects=round((now.connects - before.connects) / took_s, 1),
        p50_ms=percentile(latencies, 0.5),
        p99_ms=percentile(latencies, 0.99),
        failures=now.failures,
        busy=round(busy, 3),
    )


def percentile(latencies: Mapping[float, int], share: float) -> float:
    """The latency that this share of the deliveries didn't exceed; 0 where there was none."""
    left = share * sum(latencies.values())
    reached = 0.0
    for ms, count in sorted(latencies.items()):
        if count > 0:
            reached, left = ms, left - count
        if left <= 0:
            break
    return reached


def too_busy(samples: Sequence[Sample]) -> list[Sample]:
    """Those in which a generator was so busy that the latencies are its own."""
    return [one for one in samples if one.busy > BUSY]


def as_csv(samples: Sequence[Sample]) -> str:
    """A table with a head."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerows([Sample._fields, *samples])
    return text.getvalue()
