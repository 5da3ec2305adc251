"""A naive model of what the push server's core has to do: lists of everything, and no cleverness.

`Truth` is what Kafka holds of a collection, `View` is what one watch has been told, as its client would keep it.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from shared.catalog import Mode
from shared.cursor import Segment, decode_cursor, scope_tag
from shared.event import Event
from shared.resource import Watch

Positions = Mapping[int, int]
STEP_MS: Final = 1000
"""Between two events of a truth."""


class Truth:
    """One epoch of one collection: every event ever, oldest first."""

    def __init__(self, collection: str, number: int, partitions: int) -> None:
        self.collection = collection
        self.epoch = number.to_bytes(5)
        self.ends = [0] * partitions
        self.events: list[Event] = []

    def write(self, resource_id: str, data: bytes | None, *, now_ms: int, gap: int = 0) -> None:
        """Append; `gap` offsets before it are of records that are no events."""
        partition = sum(resource_id.encode()) % len(self.ends)
        offset = self.ends[partition] + gap
        self.ends[partition] = offset + 1
        self.events.append(Event(resource_id, partition, offset, now_ms, data))

    def find(self, resource_id: str, offset: int) -> Event | None:
        """The event of a resource at a version."""
        found = (event for event in self.events if event.id == resource_id and event.offset == offset)
        return next(found, None)

    def between(self, watch: Watch, starts: Positions, ends: Positions) -> Iterator[Event]:
        """What belongs to a watch, from some positions to others; a partition that `ends` doesn't have, not at all."""
        for event in self.events:
            start, end = starts.get(event.partition, 0), ends.get(event.partition, 0)
            if start <= event.offset < end and watch.covers(event.id):
                yield event

    def newest(self, watch: Watch, starts: Positions, ends: Positions) -> dict[str, Event]:
        """The same, but only the newest event of each resource."""
        return {event.id: event for event in self.between(watch, starts, ends)}

    def positions_since(self, logged_ms: int) -> dict[int, int]:
        """For each partition the position of the first event logged at or after a time."""
        starts = dict(enumerate(self.ends))
        for event in reversed(self.events):
            if event.logged_ms >= logged_ms:
                starts[event.partition] = event.offset
        return starts


class View:
    """What one watch has been told. `asked_from` are the positions that it resumes from, None for a snapshot.

    `floor` are the positions below which it was promised nothing (`snapshot=false`, `since`); None: not known before
    it is synced.
    """

    def __init__(self, watch: Watch, mode: Mode, truth: Truth, *, resume: "Resume | None", snapshot: bool) -> None:
        self.watch = watch
        self.mode = mode
        self.truth = truth
        self.snapshot = snapshot
        self.known = dict(resume.known) if resume else {}
        self.floor = dict(resume.floor) if resume else ({} if snapshot else None)
        self.next = dict(resume.starts) if resume and mode == "log" else None
        self.resumes = resume is not None
        self.must_reset = resume is not None and not resume.provable
        self.was_reset = False
        self.synced = False
        self.cursor: Positions = {}
        self.covered: dict[int, int] = {}

    def start_over(self, truth: Truth, reason: str) -> None:
        """What was known is void, for a reason that has to be true."""
        true = {
            "epoch": self.must_reset or truth is not self.truth or self.synced,
            "cursor": self.must_reset,
            "expired": any(event.data is None for event in truth.events),
        }
        assert true[reason], f"{self.watch.label} is reset without a reason: {reason}"
        self.truth = truth
        self.known, self.covered, self.next = {}, {}, None
        self.floor = {} if self.snapshot else None
        self.was_reset, self.synced = True, False

    def on_event(self, event: Event) -> None:
        """A put or delete that belongs to it. In log mode none may be missing before it."""
        self.known[event.id] = event
        if self.next is not None:
            self._require_all(self.next, {event.partition: event.offset})
            self.next[event.partition] = max(event.offset + 1, self.next.get(event.partition, 0))

    def on_synced(self, positions: Positions, *, resumed: bool) -> None:
        """The initial state is told; what it resumed from has been proved, or it was told of a reset."""
        assert resumed == (self.resumes and not self.was_reset)
        assert self.was_reset or not self.must_reset, f"{self.watch.label} resumes from what proves nothing"
        self.synced = True
        if self.floor is None:
            self.floor = dict(positions)
        if self.mode == "log" and self.next is None:
            self.next = dict(positions)

    def on_cursor(self, positions: Positions) -> None:
        """A cursor that covers it: nothing of before may be missing."""
        self.cursor = positions
        self.covered |= {p: max(at, self.covered.get(p, 0)) for p, at in positions.items()}
        self._require_state(positions)
        if self.next is not None:
            self._require_all(self.next, positions)
            self.next |= {p: max(at, self.next.get(p, 0)) for p, at in positions.items()}

    def _require_all(self, starts: Positions, ends: Positions) -> None:
        missing = list(self.truth.between(self.watch, starts, ends))
        assert not missing, f"{self.watch.label} in log mode was never told {missing}"

    def _require_state(self, positions: Positions) -> None:
        for event in self.truth.newest(self.watch, self.floor or {}, positions).values():
            have = self.known.get(event.id)
            gone = event.data is None and (have is None or have.data is None)
            assert gone or (have and have.offset >= event.offset), f"{self.watch.label} knows {have}, not {event}"


class Resume(NamedTuple):
    """What a client brings to a new watch: what it knows, promised from where on, and the positions it asks from."""

    known: Mapping[str, Event]
    floor: Positions
    starts: Positions
    provable: bool = True


class Bookmark(NamedTuple):
    """A cursor with what the client knew when it got it: label, watch and knowledge of each watch that it covers."""

    cursor: str
    known: Mapping[str, tuple[Watch, Mapping[str, Event], Positions]]

    def segment(self, tag: bytes) -> Segment | None:
        """Its part about a collection."""
        return next((segment for segment in decode_cursor(self.cursor) if segment.tag == tag), None)

    def resume(self, watch: Watch, tag: bytes, epoch: bytes) -> Resume:
        """What it is worth to a watch."""
        segment = self.segment(tag)
        if segment is None or segment.epoch != epoch:
            return Resume({}, {}, segment.positions if segment else {}, provable=False)
        label = watch.collection if segment.scopes is None else watch.label
        proven = segment.scopes is None or (watch.narrow and scope_tag(watch.label) in segment.scopes)
        if not proven or label not in self.known:
            return Resume({}, {}, segment.positions, provable=False)
        _, known, floor = self.known[label]
        told = {resource_id: event for resource_id, event in known.items() if watch.covers(resource_id)}
        return Resume(told, floor, segment.positions)
