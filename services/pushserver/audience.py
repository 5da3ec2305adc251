"""Who watches which part of a collection."""

from collections.abc import Iterator, Sequence
from typing import Generic, Protocol, TypeVar

from shared.event import Event
from shared.resource import Watch


class Member(Protocol):
    """Somebody with a watch."""

    watch: Watch


M = TypeVar("M", bound=Member)


class Audience(Generic[M]):
    """The live watches of one collection, found by the ids that change.

    A resource with one watcher holds the watcher itself, not a set of one: most resources have one, and a set is 216
    bytes.
    """

    def __init__(self) -> None:
        self._by_id: dict[str, M | set[M]] = {}
        self._by_prefix: dict[str, set[M]] = {}
        self._wide: set[M] = set()
        self.size = 0

    def add(self, member: M) -> None:
        """Count somebody in who isn't yet."""
        self.size += 1
        watch = member.watch
        if watch.id is None:
            self._group(watch.prefix).add(member)
            return
        present = self._by_id.get(watch.id)
        if present is None:
            self._by_id[watch.id] = member
        elif isinstance(present, set):
            present.add(member)
        else:
            self._by_id[watch.id] = {present, member}

    def remove(self, member: M) -> None:
        """Count somebody out; nothing happens to who isn't in."""
        watch = member.watch
        if watch.id is None:
            group = self._wide if watch.prefix is None else self._by_prefix.get(watch.prefix, set())
            self.size -= member in group
            group.discard(member)
            if watch.prefix is not None and not group:
                self._by_prefix.pop(watch.prefix, None)
            return
        present = self._by_id.get(watch.id)
        if present is member:
            del self._by_id[watch.id]
            self.size -= 1
        elif isinstance(present, set) and member in present:
            present.remove(member)
            self.size -= 1
            if not present:
                del self._by_id[watch.id]

    def match(self, events: Sequence[Event]) -> Iterator[tuple[Sequence[M], list[int]]]:
        """Each group that some of the events concern: its members (at least one), and the indexes of its events."""
        if self._wide and events:
            yield tuple(self._wide), list(range(len(events)))
        if self._by_prefix:
            yield from self._match_prefixes(events)
        if self._by_id:
            yield from self._match_ids(events)

    def _group(self, prefix: str | None) -> set[M]:
        return self._wide if prefix is None else self._by_prefix.setdefault(prefix, set())

    def _match_prefixes(self, events: Sequence[Event]) -> Iterator[tuple[Sequence[M], list[int]]]:
        lengths = sorted({len(prefix) for prefix in self._by_prefix})
        hits: dict[str, list[int]] = {}
        for index, event in enumerate(events):
            for length in lengths:
                if length <= len(event.id) and event.id[:length] in self._by_prefix:
                    hits.setdefault(event.id[:length], []).append(index)
        for prefix, indexes in hits.items():
            yield tuple(self._by_prefix[prefix]), indexes

    def _match_ids(self, events: Sequence[Event]) -> Iterator[tuple[Sequence[M], list[int]]]:
        by_id = self._by_id
        hits: dict[str, list[int]] = {}
        for index, event in enumerate(events):
            if event.id in by_id:
                hits.setdefault(event.id, []).append(index)
        for resource_id, indexes in hits.items():
            members = by_id.get(resource_id)
            if isinstance(members, set):
                yield tuple(members), indexes
            elif members is not None:
                yield (members,), indexes
