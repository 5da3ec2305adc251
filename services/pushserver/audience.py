"""Who watches which part of a collection."""

from collections.abc import Iterator, Sequence
from typing import Generic

from services.pushserver.group import Group, M
from services.pushserver.parts import Parts
from shared.event import Event
from shared.resource import Watch


class Audience(Generic[M]):
    """The live watches of one collection, found by the ids that change.

    A resource with one watcher holds the watcher itself, not a group of one: most resources have one, and a group is
    some 400 bytes.
    """

    def __init__(self) -> None:
        self._by_id: dict[str, M | Group[M]] = {}
        self._by_prefix: dict[str, Group[M]] = {}
        self._wide: Group[M] = Group()
        self._parts: Parts[M] = Parts()
        self.size = 0

    def add(self, member: M) -> None:
        """Count somebody in who isn't yet."""
        self.size += 1
        watch = member.watch
        if watch.within is not None:
            self._parts.add(member)
            return
        if watch.id is None:
            group = self._by_prefix.setdefault(watch.prefix, Group()) if watch.prefix else self._wide
            group.add(member)
            return
        present = self._by_id.get(watch.id)
        if present is None:
            self._by_id[watch.id] = member
        elif isinstance(present, Group):
            present.add(member)
        else:
            self._by_id[watch.id] = Group((present, member))

    def remove(self, member: M) -> None:
        """Count somebody out; nothing happens to who isn't in."""
        present = self._of(member.watch)
        if isinstance(present, Group):
            if member not in present:
                return
            present.remove(member)
            if not present:
                self._forget(member.watch)
        elif present is member:
            self._forget(member.watch)
        else:
            return
        self.size -= 1

    def changed(self, member: M) -> None:
        """Note that `direct` of a member is another than before; nothing happens to who isn't in."""
        present = self._of(member.watch)
        if isinstance(present, Group):
            present.changed()

    def match(self, events: Sequence[Event]) -> Iterator[tuple[Group[M], list[int]]]:
        """Each group that some of the events concern, of at least one member, and the indexes of its events."""
        if self._wide and events:
            yield self._wide, list(range(len(events)))
        if self._by_prefix:
            yield from self._match_prefixes(events)
        if self._by_id:
            yield from self._match_ids(events)
        if self._parts:
            yield from self._parts.match(events)

    def _of(self, watch: Watch) -> M | Group[M] | None:
        if watch.within is not None:
            return self._parts.group(watch)
        if watch.id is not None:
            return self._by_id.get(watch.id)
        return self._by_prefix.get(watch.prefix) if watch.prefix else self._wide

    def _forget(self, watch: Watch) -> None:
        if watch.within is not None:
            self._parts.forget(watch)
        elif watch.id is not None:
            del self._by_id[watch.id]
        elif watch.prefix:
            del self._by_prefix[watch.prefix]

    def _match_prefixes(self, events: Sequence[Event]) -> Iterator[tuple[Group[M], list[int]]]:
        lengths = sorted({len(prefix) for prefix in self._by_prefix})
        hits: dict[str, list[int]] = {}
        for index, event in enumerate(events):
            for length in lengths:
                if length <= len(event.id) and event.id[:length] in self._by_prefix:
                    hits.setdefault(event.id[:length], []).append(index)
        for prefix, indexes in hits.items():
            group = self._by_prefix.get(prefix)
            if group is not None:
                yield group, indexes

    def _match_ids(self, events: Sequence[Event]) -> Iterator[tuple[Group[M], list[int]]]:
        by_id = self._by_id
        hits: dict[str, list[int]] = {}
        for index, event in enumerate(events):
            if event.id in by_id:
                hits.setdefault(event.id, []).append(index)
        for resource_id, indexes in hits.items():
            members = by_id.get(resource_id)
            if isinstance(members, Group):
                yield members, indexes
            elif members is not None:
                yield Group((members,)), indexes
