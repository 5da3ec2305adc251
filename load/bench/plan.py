"""A sequence of changes: which resource, its how manieth, and whether it is the last one."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple


class Step(NamedTuple):
    """One change."""

    resource_id: str
    seq: int
    last: bool


class Plan:
    """`changes` changes over the resources, one after another and round again."""

    def __init__(self, ids: Sequence[str], changes: int) -> None:
        self.ids = ids
        self.changes = changes

    def __iter__(self) -> Iterator[Step]:
        count = len(self.ids)
        for number in range(self.changes):
            yield Step(self.ids[number % count], number // count + 1, number + count >= self.changes)

    @property
    def ends(self) -> int:
        """How many resources get a last change."""
        return min(len(self.ids), self.changes)


def numbered(count: int, prefix: str = "R") -> list[str]:
    """Resource ids."""
    return [f"{prefix}{number}" for number in range(count)]
