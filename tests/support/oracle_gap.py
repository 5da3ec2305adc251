"""The longest gap that a watcher saw.

A gap is a time in which a watcher heard nothing at all, or did not yet know of a write that had been acknowledged.
So it is as long as the time without a connection where a connection was lost, noticing included; and where a connection
stayed and brought nothing but heartbeats, it is as long as the news was late.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from math import inf
from typing import NamedTuple

from tests.support.oracle import History
from tests.support.oracle_writes import Written
from tests.support.recording import DATA_EVENTS, Entry


class Gap(NamedTuple):
    """How long, whose, and of which kind (`silence` or `late`)."""

    seconds: float
    watcher: str
    kind: str


def longest_gap(histories: Iterable[History], writes: Sequence[Written]) -> Gap:
    """The longest of all watchers, from the first thing that each heard to the last."""
    gaps = (gap for history in histories for gap in (_silence(history), *_late(history, writes)))
    return max(gaps, default=Gap(0.0, "", "silence"))


def _silence(history: History) -> Gap:
    times = [entry.at_s for connection in history.connections for entry in connection.entries]
    return Gap(max((after - before for before, after in pairwise(times)), default=0.0), history.watcher, "silence")


def _late(history: History, writes: Sequence[Written]) -> Iterator[Gap]:
    """How late each acknowledged write came, itself or anything that was acknowledged after it, of the same resource.

    A snapshot after a `reset` tells of every write before it, also by what is not in it. A short poll tells nothing of
    what came and went between two of them: there only silence counts.
    """
    asked = history.connections[0].ask if history.connections else None
    news = _News(entry for connection in history.connections for entry in connection.entries)
    if asked is None or not news.synced:
        return
    waiting = dict[str, float]()
    for write in sorted(writes, key=lambda write: -write.answered_s):
        if write.version is not None and asked.covers(write.resource):
            came = min(news.first(write), waiting.get(write.resource, inf))
            waiting[write.resource] = came
            yield Gap(came - write.answered_s if came < inf else 0.0, history.watcher, "late")


class _News:
    """When a watcher heard what; one that was never `synced` polls, and is told nothing but differences."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.synced = False
        self._heard: dict[tuple[str, int], list[float]] = defaultdict(list)
        self._snapshots: list[float] = []
        resetting = False
        for entry in entries:
            frame = entry.frame or {"event": ""}
            self.synced = self.synced or frame["event"] == "synced"
            resetting = (resetting or frame["event"] == "reset") and frame["event"] != "synced"
            if frame["event"] in DATA_EVENTS:
                self._heard[frame["resource"], int(frame.get("version", -1))].append(entry.at_s)
            if resetting or frame["event"] == "reset":
                self._snapshots.append(entry.at_s)

    def first(self, write: Written) -> float:
        """When it was told, infinite if never; the same version of another epoch was told before it was sent."""
        assert write.version is not None
        times = self._heard.get((write.resource, write.version), [])
        return min(_first(times, write.sent_s), _first(self._snapshots, write.answered_s))


def _first(times: Sequence[float], since_s: float) -> float:
    at = bisect_left(times, since_s)
    return times[at] if at < len(times) else inf
