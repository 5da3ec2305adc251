"""What one watcher has been told, and whether it could have been told so."""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import NamedTuple

from load.users.specimen import Stamp


class Kind(Enum):
    """What a change is to a watcher that is told of it."""

    NEW = "new"
    AGAIN = "again"
    """It was told on an earlier connection, or the publisher wrote it twice: at least once is what is promised."""
    DUPLICATE = "duplicate"
    """The same version twice on one connection: never promised."""
    REGRESS = "regress"
    """An older version after a newer one on one connection: never promised."""


class Verdict(NamedTuple):
    """On one change; `lost` counts those of its publisher that should have been told before it, and never were."""

    kind: Kind
    lost: int = 0


class Account:
    """The versions and numbers that a watcher has seen; `every` says whether it was promised every change (`log`).

    A gap is seen from the second change on that a publisher's resource is told of: before that nobody knows where its
    numbers began.
    """

    def __init__(self, *, every: bool) -> None:
        self._every = every
        self._here: dict[str, int] = {}
        self._newest: dict[str, int] = {}
        self._numbers: dict[tuple[str, str], int] = {}

    def connect(self) -> None:
        """Another connection begins, with a cursor: what was seen before may be told again."""
        self._here.clear()

    def forget(self) -> None:
        """Nothing holds any more: a connection without a cursor, or a `reset`."""
        self._here.clear()
        self._newest.clear()
        self._numbers.clear()

    def note(self, resource: str, version: int, stamp: Stamp | None) -> Verdict:
        """A change was told."""
        here = self._here.get(resource, -1)
        if version <= here:
            return Verdict(Kind.DUPLICATE if version == here else Kind.REGRESS)
        self._here[resource] = version
        seen_before = version <= self._newest.get(resource, -1)
        self._newest[resource] = max(version, self._newest.get(resource, -1))
        lost, written_again = self._count(resource, stamp) if stamp else (0, False)
        return Verdict(Kind.AGAIN if seen_before or written_again else Kind.NEW, lost)

    def behind(self, acknowledged: Mapping[str, int], scope: Iterable[str]) -> list[str]:
        """The resources in scope of which a newer version than any seen was acknowledged to its publisher."""
        return [name for name in scope if self._newest.get(name, -1) < acknowledged.get(name, -1)]

    def _count(self, resource: str, stamp: Stamp) -> tuple[int, bool]:
        """How many were skipped, and whether this number was told already."""
        key = (resource, stamp.by)
        last = self._numbers.get(key)
        if last is None or stamp.seq > last:
            self._numbers[key] = stamp.seq
            return (stamp.seq - last - 1 if self._every and last is not None else 0), False
        return 0, True
