"""What the driver asks for: each task is looked at after every turn, until it has its answer."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from load.bench.crowd.crowd import Crowd
from load.bench.crowd.group import Group
from load.bench.crowd.journal import Findings, Journal
from load.bench.crowd.poller import Poller
from load.bench.crowd.prober import Prober
from load.bench.crowd.reader import Reader
from load.bench.crowd.request import REQUESTS
from load.bench.specimen import now_ns

Answer = Mapping[str, Any]


class Task(Protocol):
    """Something that takes a while."""

    def advance(self) -> Answer | None:
        """Go on with it; the answer once it is done."""


@dataclass
class Opening:
    """Connect `count` times, at most `window` handshakes under way at once, until every connection is synced.

    `target` may have `{n}` in it, the number of the connection from 0. Every `sample_every`-th one keeps a journal.
    """

    crowd: Crowd
    group: Group
    kind: str
    port: int
    target: str
    count: int
    window: int
    sample_every: int
    within_s: float
    began_ns: int = 0
    opened: int = 0

    def advance(self) -> Answer | None:
        """Open as many as may be; `late` in the answer says that some were not synced in time."""
        self.began_ns = self.began_ns or now_ns()
        while self.opened < self.count and self.opened - self.group.synced < self.window:
            self._open(self.opened)
            self.opened += 1
        late = now_ns() - self.began_ns > self.within_s * 1e9
        if self.group.synced < self.count and not self.group.losses and not late:
            return None
        return {"began_ns": self.began_ns, "late": late, **self.group.status()}

    def _open(self, number: int) -> None:
        target = self.target.format(n=number)
        journal = Journal() if self.sample_every and number % self.sample_every == 0 else None
        request = REQUESTS[self.kind](target)
        self.crowd.connect(self.port, request, self.group, lambda sock: self._reader(sock, journal, target))
        if self.kind == "raw":
            self.group.on_synced(resumed=False)

    def _reader(self, sock: Any, journal: Journal | None, target: str) -> Reader:
        if self.kind == "poll":
            return Poller(sock, self.group, journal, target)
        return Reader(sock, self.group, journal, greeted=self.kind == "raw")


@dataclass
class Waiting:
    """Until a group has seen so many last values, has lost a connection, or the time is over (`late`)."""

    group: Group
    ends: int
    give_up_at: float

    def advance(self) -> Answer | None:
        """The answer, when it is time."""
        late = time.monotonic() > self.give_up_at
        if self.group.ended < self.ends and not self.group.losses and not late:
            return None
        return {"late": late, **self.group.status()}


@dataclass
class Done:
    """What needs no time."""

    answer: Answer

    def advance(self) -> Answer | None:
        """At once."""
        return self.answer


def _open(crowd: Crowd, group: Group, asked: Mapping[str, Any]) -> Task:
    return Opening(crowd, group, **asked)


def _begin(_crowd: Crowd, group: Group, _asked: Mapping[str, Any]) -> Task:
    group.begin()
    return Done({})


def _wait(_crowd: Crowd, group: Group, asked: Mapping[str, Any]) -> Task:
    return Waiting(group, asked["ends"], time.monotonic() + asked["within_s"])


def _judge(_crowd: Crowd, group: Group, asked: Mapping[str, Any]) -> Task:
    journals = [reader.journal for reader in group.readers if reader.journal is not None]
    findings = Findings.of(journals, from_ns=asked["from_ns"], until_ns=asked["until_ns"])
    arrived = {"arrived_ns": findings.arrived_ns} if asked["arrivals"] else {}
    return Done({**findings.summary(), **arrived})


def _close(crowd: Crowd, group: Group, _asked: Mapping[str, Any]) -> Task:
    crowd.close(group.name)
    return Done({})


def _probe(crowd: Crowd, group: Group, asked: Mapping[str, Any]) -> Task:
    request = REQUESTS["ws"](asked["target"])
    every_ns = int(asked["every_s"] * 1e9)
    crowd.connect(asked["port"], request, group, lambda sock: Prober(sock, group, every_ns))
    return Done({})


def _probed(_crowd: Crowd, group: Group, _asked: Mapping[str, Any]) -> Task:
    delays = sorted(delay for reader in group.readers if isinstance(reader, Prober) for delay in reader.delays_ns)
    if not delays:
        return Done({"pings": 0, "p50_ms": 0.0, "longest_ms": 0.0, **group.status()})
    half = delays[len(delays) // 2]
    return Done({"pings": len(delays), "p50_ms": half / 1e6, "longest_ms": delays[-1] / 1e6, **group.status()})


TASKS: Final[Mapping[str, Callable[[Crowd, Group, Mapping[str, Any]], Task]]] = {
    "open": _open,
    "begin": _begin,
    "wait": _wait,
    "judge": _judge,
    "close": _close,
    "probe": _probe,
    "probed": _probed,
}
