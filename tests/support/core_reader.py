"""One connection to the core, judged by the model after every step: what it is told against what it should be."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

from services.pushserver import change
from services.pushserver.hub import Hub
from services.pushserver.session import CatchUp, Session
from services.pushserver.subscriber import Subscriber
from services.pushserver.subscription import WatchRequest
from services.pushserver.wire import LINES, SSE, SSE_ONE, WS_JSON, Wire
from shared.cursor import decode_cursor
from shared.event import Event
from shared.principal import EVERYBODY
from tests.support.core_output import READERS, Frame
from tests.support.core_stalls import RENEWED, StallingSink, Stalls
from tests.support.model import Bookmark, Positions, Truth, View

WIRES: Final[Mapping[str, Wire]] = {
    "ws": WS_JSON["json"],
    "sse": SSE["json"],
    "sse-one": SSE_ONE["json"],
    "lines": LINES["json"],
}
Key = tuple[str, bytes, str]
"""A resource in an epoch: collection, epoch, id."""
TruthOf = Callable[[str], Truth]


class Reader:
    """A client over one of WIRES. `truth_of` gives what its server serves of a collection."""

    def __init__(
        self,
        hub: Hub,
        wire: str,
        truth_of: TruthOf,
        bank: deque[Bookmark],
        stalls: Stalls,
        *,
        limit_bytes: int,
    ) -> None:
        self.sink = StallingSink(READERS[wire], stalls)
        self.wire = wire
        self.quiet = wire == "lines"
        self.subscriber = Subscriber(
            WIRES[wire],
            self.sink,
            hub.counters,
            limit_bytes=limit_bytes,
            together=wire != "ws",
            quiet=self.quiet,
        )
        self.sink.subscriber = self.subscriber
        self.session = Session(hub, self.subscriber, EVERYBODY, max_watches=10)
        self.views: dict[str, View] = {}
        self.failed: list[Frame] = []
        self.last: Bookmark | None = None
        self.one_watch = wire == "sse-one"
        self.live_frames_without_id = 0
        self.bookmark_owed = False
        self._read = READERS[wire]
        self._truth_of = truth_of
        self._bank = bank
        self._told: dict[Key, int] = {}
        self._offered: dict[Key, list[int]] = {}
        self._delivered: set[tuple[Key, int]] = set()

    def __repr__(self) -> str:
        return f"<Reader {self.subscriber!r}>"

    def subscribe(self, request: WatchRequest, view: View, *, settled: bool) -> CatchUp | None:
        """Ask for a watch; raises Problem."""
        waits = self.session.subscribe(request, settled=settled)
        if waits is None:
            self.views[request.watch.label] = view
            if self.subscriber.pump():
                self.sink.wake()
        return waits

    def unsubscribe(self, label: str) -> None:
        """End a watch."""
        del self.views[label]
        watch, _, prefix = label.partition("?prefix=")
        answer = self.session.on_op({"op": "unsubscribe", "watch": watch, "prefix": prefix or None})
        assert answer is None
        self.forget_waiting()
        # Order holds for a watch from its last `subscribe` on.
        self._told = {key: offset for key, offset in self._told.items() if self._covered(key[0], key[2])}

    def offer(self, event: Event, truth: Truth) -> None:
        """The model's note that a live watch of this reader in state mode is concerned."""
        self._offered.setdefault((truth.collection, truth.epoch, event.id), []).append(event.offset)

    def forget_waiting(self, collection: str | None = None) -> None:
        """What waits for no watch any more, or is of an epoch that has ended, is dropped: that is no elision."""
        if collection is not None and any(view.watch.collection == collection for view in self.views.values()):
            self.sink.note(RENEWED)
        for key, offsets in self._offered.items():
            if key[0] == collection or not self._covered(key[0], key[2]):
                self._delivered.add((key, offsets[-1]))

    def observe(self) -> None:
        """Judge what was written since the last time, and what is held."""
        mailbox = self.subscriber._mailbox  # noqa: SLF001 -- memory has no other witness
        assert mailbox is None or mailbox.size <= self.subscriber.limit_bytes
        for said in self._read(self.sink.take()):
            if said.frame is not None:
                self._on_frame(said.frame)
            if said.cursor is not None and not self.quiet:
                self._on_cursor(said.cursor)
        if self.sink.closed and self.sink.cursor:
            if not self.quiet:
                self._save(self.sink.cursor)
            self.sink.cursor = None
        if self.quiet and self.subscriber.caught_up and not self.subscriber.ended:
            self._on_poll_answered()

    def _on_poll_answered(self) -> None:
        cursor = self.subscriber.cursor()
        if cursor is not None:
            for view in self.views.values():
                if not view.synced:
                    view.on_synced(self._positions(view, cursor) or {}, resumed=view.resumes and not view.was_reset)
            self._on_cursor(cursor)

    def _on_frame(self, frame: Frame) -> None:
        kind = frame["event"]
        if kind in {"put", "delete"}:
            self._on_event(frame)
        elif kind == "reset":
            view = self.views[frame["watch"]]
            view.start_over(self._truth_of(view.watch.collection), frame["reason"])
        elif kind == "synced" and not self.quiet:
            view = self.views[frame["watch"]]
            view.on_synced(self._synced_at(view, frame["cursor"]), resumed=frame["resumed"])
        elif kind == "problem":
            self.failed.append(frame)
            self.views.pop(frame.get("watch", ""), None)
        elif kind == "bookmark":
            self._on_bookmark(frame)

    def _on_bookmark(self, frame: Frame) -> None:
        assert not self.quiet, "a poll has no bookmarks"
        self.bookmark_owed = False
        if self.subscriber.ended:
            return
        elided = sum(
            (key, offset) not in self._delivered for key, offsets in self._offered.items() for offset in offsets
        )
        assert frame["skipped"] == elided, f"{elided} were elided, the bookmark says {frame['skipped']}"
        self._offered.clear()
        self._delivered.clear()

    def _on_event(self, frame: Frame) -> None:
        collection, resource_id = frame["resource"].split("/", 1)
        truth = self._truth_of(collection)
        event = truth.find(resource_id, int(frame["version"]))
        assert event is not None, f"{frame} is no event of this epoch"
        assert (event.data is None) == (frame["event"] == "delete")
        # A watch whose reset is still to come is not what it was.
        views = [view for view in self._covered(collection, resource_id) if view.truth is truth or not view.synced]
        assert views, f"nobody asked for {frame}"
        key = (collection, truth.epoch, resource_id)
        self._require_order(event, views, key)
        self._delivered.add((key, event.offset))
        self._count_without_id(views)
        for view in views:
            view.on_event(event)

    def _covered(self, collection: str, resource_id: str) -> list[View]:
        return [v for v in self.views.values() if v.watch.collection == collection and v.watch.covers(resource_id)]

    def _require_order(self, event: Event, views: list[View], key: Key) -> None:
        told = self._told.get(key, -1)
        self._told[key] = event.offset
        assert event.offset >= told, f"{event} comes after {told}"
        if all(view.synced for view in views):
            assert event.offset > told, f"{event} comes twice"
            covered = [view for view in views if event.offset < view.covered.get(event.partition, 0)]
            assert not covered, f"{event} comes after a cursor that covers it: {covered[0].covered}"

    def _count_without_id(self, views: list[View]) -> None:
        if all(view.synced for view in views):
            self.live_frames_without_id += 1
            assert not self.wire.startswith("sse") or self.live_frames_without_id <= change.MARK_EVERY

    def _on_cursor(self, cursor: str) -> None:
        self.live_frames_without_id = 0
        for view in self.views.values():
            positions = self._positions(view, cursor)
            if positions is not None and (view.synced or self.one_watch):
                view.on_cursor(positions)
        self._save(cursor)

    def _synced_at(self, view: View, cursor: str | None) -> Positions:
        """What its cursor says; where others are still on their way there is none, and the server's own word counts."""
        if cursor is None:
            return dict(enumerate(self.session.hub.channels[view.watch.collection].positions))
        return self._positions(view, cursor) or {}

    def _positions(self, view: View, cursor: str) -> Positions | None:
        for segment in decode_cursor(cursor):
            if segment.epoch == view.truth.epoch and segment.tag == self._tag(view):
                return segment.positions
        return None

    def _tag(self, view: View) -> bytes:
        return self.session.hub.catalog.get(view.watch.collection).tag

    def _save(self, cursor: str) -> None:
        known = {
            label: (view.watch, dict(view.known), dict(view.floor or {}))
            for label, view in self.views.items()
            if (view.synced or self.one_watch) and self._positions(view, cursor) is not None
        }
        self.last = Bookmark(cursor, known)
        if all(kept.cursor != cursor or kept.known.keys() != known.keys() for kept in self._bank):
            self._bank.append(self.last)
