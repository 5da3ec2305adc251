"""A channel: one collection as this server serves it now."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.pushserver.audience import Audience
from services.pushserver.history import History
from services.pushserver.table import Table
from shared.catalog import Collection
from shared.cursor import Segment, scope_tag
from shared.event import Event
from shared.resource import Watch


class Channel:
    """The table and the history of one collection, and its audience.

    `as_of_ms` is when this server last knew that nothing newer was in Kafka.
    """

    def __init__(self, collection: Collection, table: Table, history: History | None) -> None:
        self.collection = collection
        self.name = collection.name
        self.table = table
        self.history = history
        self.audience: Audience[Any] = Audience()
        self.as_of_ms = 0

    def __repr__(self) -> str:
        return f"<Channel {self.name} watched by {self.audience.size}: {self.table!r}>"

    @classmethod
    def empty(cls, collection: Collection, epoch: bytes, partitions: int) -> "Channel":
        """A channel that has read nothing yet."""
        settings = collection.settings
        table = Table(
            epoch,
            partitions,
            delete_retention_ms=int(settings.delete_retention_s * 1000),
            held=collection.holds_state,
        )
        history = None
        if collection.keeps_history:
            history = History(
                partitions,
                records=settings.history_records,
                size_bytes=settings.history_bytes,
                age_ms=int(settings.history_s * 1000),
            )
        return cls(collection, table, history)

    @property
    def epoch(self) -> bytes:
        """The identity of the log that versions belong to."""
        return self.table.epoch

    @property
    def positions(self) -> tuple[int, ...]:
        """For each partition the offset of the next record to be read."""
        return self.table.positions

    def apply(self, events: Sequence[Event], positions: dict[int, int]) -> list[Event]:
        """Take a batch; returns what watchers have to be told."""
        news = self.table.apply(events, positions)
        if self.history is not None:
            self.history.apply(events)
        return news

    def take_over(self, fresh: "Channel") -> None:
        """Serve another epoch from now on; whoever watches has to be told by the caller."""
        self.table, self.history, self.as_of_ms = fresh.table, fresh.history, fresh.as_of_ms

    def segment(self, watches: Sequence[Watch], positions: Mapping[int, int]) -> Segment:
        """A cursor's part about this collection, for somebody with these watches of it."""
        if len(watches) == 1:
            scopes: tuple[int, ...] | None = (scope_tag(watches[0].scope),) if watches[0].narrow else None
        else:
            wide = any(not watch.narrow for watch in watches)
            scopes = None if wide else tuple(sorted({scope_tag(watch.scope) for watch in watches}))
        return Segment(self.collection.tag, self.table.epoch, scopes, positions)

    def partitions_of(self, watch: Watch) -> Sequence[int]:
        """The partitions that a watch may hear from: one, where the resource is known."""
        if watch.id is not None and (event := self.table.get(watch.id)) is not None:
            return (event.partition,)
        return range(len(self.positions))
