"""A group of connections that are opened, counted and judged together."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from load.bench.specimen import now_ns

if TYPE_CHECKING:
    from load.bench.crowd.reader import Reader

_LOSSES_TOLD: Final = 5


class Group:
    """Totals since `begin`; readers add to them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.readers: list[Reader] = []
        self.received = 0
        self.ended = 0
        self.last_ns = 0
        self.synced = 0
        self.resumed = 0
        self.synced_ns = 0
        self.cursor: str | None = None
        self.losses: list[str] = []

    def begin(self) -> None:
        """Count from zero."""
        self.received = self.ended = 0
        for reader in self.readers:
            reader.begin()

    def on_synced(self, *, resumed: bool) -> None:
        """One more connection is live."""
        self.synced += 1
        self.resumed += resumed
        self.synced_ns = now_ns()

    def lose(self, why: str) -> None:
        """A connection ended that should not have."""
        self.losses.append(why)

    def status(self) -> Mapping[str, Any]:
        """The totals, the extremes over the connections, and the first of the losses."""
        received = [reader.received for reader in self.readers] or [0]
        ended = [reader.ended for reader in self.readers] or [0]
        return {
            "received": self.received,
            "ended": self.ended,
            "last_ns": self.last_ns,
            "fewest": min(received),
            "most": max(received),
            "fewest_ends": min(ended),
            "most_ends": max(ended),
            "synced": self.synced,
            "synced_ns": self.synced_ns,
            "resumed": self.resumed,
            "cursor": self.cursor,
            "lost": len(self.losses),
            "losses": self.losses[:_LOSSES_TOLD],
        }
