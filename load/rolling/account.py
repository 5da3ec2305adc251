"""What one watcher was told, over all its connections, and what is wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

Truth = Mapping[str, Sequence[int]]
"""The versions of each resource that were acknowledged while everybody watched."""


@dataclass
class Findings:
    """What is wrong with what watchers were told, added up; `most_repeats` is of one resource on one connection."""

    told: int = 0
    disordered: int = 0
    resets: int = 0
    lost: int = 0
    stale: int = 0
    repeats: int = 0
    most_repeats: int = 0

    def add(self, other: Self) -> None:
        """Take another watcher's in."""
        for name in ("told", "disordered", "resets", "lost", "stale", "repeats"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.most_repeats = max(self.most_repeats, other.most_repeats)


class Account:
    """Keeps every version of a watcher in `log` mode, and the newest ones of one in `state` mode."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self.newest: dict[str, int] = {}
        self._findings = Findings()
        self._told: dict[str, set[int]] = {}
        self._here: dict[str, int] = {}
        self._repeated: dict[str, int] = {}

    def on_connection(self) -> None:
        """A new connection begins."""
        self._here.clear()
        self._repeated.clear()

    def on_reset(self) -> None:
        """Continuity was not proved."""
        self._findings.resets += 1

    def on_change(self, resource: str, version: int) -> None:
        """A put or a delete."""
        self._findings.told += 1
        self._findings.disordered += version <= self._here.get(resource, -1)
        self._here[resource] = version
        if version <= self.newest.get(resource, -1):
            self._repeat(resource)
        else:
            self.newest[resource] = version
        if self.mode == "log":
            self._told.setdefault(resource, set()).add(version)

    def judge(self, truth: Truth) -> Findings:
        """Compare with what was written to the resources that it watches."""
        found = Findings(**vars(self._findings))
        for resource, versions in truth.items():
            if self.mode == "log":
                found.lost += len(set(versions) - self._told.get(resource, set()))
            elif versions:
                found.stale += self.newest.get(resource, -1) < max(versions)
        return found

    def _repeat(self, resource: str) -> None:
        self._findings.repeats += 1
        # In log mode whatever came after the cursor comes again; in state mode it is the newest one only.
        if self.mode == "state":
            self._repeated[resource] = self._repeated.get(resource, 0) + 1
            self._findings.most_repeats = max(self._findings.most_repeats, self._repeated[resource])
