"""Who watches a part of a collection: the resources and prefixes that somebody was granted."""

from collections.abc import Iterator, Sequence
from typing import Generic

from services.pushserver.group import Group, M
from shared.event import Event
from shared.resource import Watch


class Parts(Generic[M]):
    """Members whose watch is narrowed, found by the ids that change.

    To match an event costs as many look-ups as there are different lengths of prefixes, however many members there are.
    """

    def __init__(self) -> None:
        self._groups: dict[Watch, Group[M]] = {}
        self._by_id: dict[str, dict[Watch, None]] = {}
        self._by_prefix: dict[str, dict[Watch, None]] = {}

    def __len__(self) -> int:
        return len(self._groups)

    def group(self, watch: Watch) -> Group[M] | None:
        """Everybody with this very watch."""
        return self._groups.get(watch)

    def add(self, member: M) -> None:
        """Count somebody in."""
        watch = member.watch
        if watch not in self._groups:
            self._groups[watch] = Group()
            for index, name in self._places(watch):
                index.setdefault(name, {})[watch] = None
        self._groups[watch].add(member)

    def forget(self, watch: Watch) -> None:
        """Nobody has this watch any more."""
        del self._groups[watch]
        for index, name in self._places(watch):
            del index[name][watch]
            if not index[name]:
                del index[name]

    def match(self, events: Sequence[Event]) -> Iterator[tuple[Group[M], list[int]]]:
        """Each group that some of the events concern, and the indexes of its events."""
        lengths = sorted({len(prefix) for prefix in self._by_prefix})
        hits: dict[Watch, list[int]] = {}
        for index, event in enumerate(events):
            for watch in self._by_id.get(event.id, ()):
                hits.setdefault(watch, []).append(index)
            for length in lengths:
                if length <= len(event.id):
                    for watch in self._by_prefix.get(event.id[:length], ()):
                        hits.setdefault(watch, []).append(index)
        for watch, indexes in hits.items():
            group = self._groups.get(watch)
            if group is not None:
                yield group, indexes

    def _places(self, watch: Watch) -> Iterator[tuple[dict[str, dict[Watch, None]], str]]:
        for part in watch.parts:
            yield (self._by_prefix, part.prefix or "") if part.id is None else (self._by_id, part.id)
