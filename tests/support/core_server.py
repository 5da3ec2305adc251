"""Push servers without their edges: hubs that are fed from the model's truths, batch by batch."""

from collections import deque
from collections.abc import Mapping
from typing import Final

from services.pushserver.channel import Channel
from services.pushserver.counters import Counters
from services.pushserver.hub import Hub
from services.pushserver.session import CatchUp
from services.pushserver.subscription import WatchRequest
from shared.catalog import Catalog
from shared.problem import Problem
from shared.resource import Watch
from tests.support.core_output import kernel_write
from tests.support.core_reader import Reader
from tests.support.core_stalls import Stalls
from tests.support.model import STEP_MS, Bookmark, Resume, Truth, View

BANKED: Final = 12
"""Cursors kept for a later resume."""


class World:
    """What Kafka holds, a clock that moves with every write, the cursors that clients have kept, where they stalled."""

    def __init__(self, catalog: Catalog, partitions: int, stalls: Stalls) -> None:
        self.catalog = catalog
        self.now_ms = 0
        self.truths = {collection.name: Truth(collection.name, 1, partitions) for collection in catalog}
        self.bank: deque[Bookmark] = deque(maxlen=BANKED)
        self.stalls = stalls

    def write(self, collection: str, resource_id: str, data: bytes | None, *, gap: int = 0) -> None:
        """One more record."""
        self.now_ms += STEP_MS
        self.truths[collection].write(resource_id, data, now_ms=self.now_ms, gap=gap)

    def renew(self, collection: str, partitions: int, keep: int) -> None:
        """Make the topic anew, with at most `keep` of its resources."""
        old = self.truths[collection]
        truth = self.truths[collection] = Truth(collection, int.from_bytes(old.epoch) + 1, partitions)
        newest = old.newest(Watch(collection), {}, dict(enumerate(old.ends)))
        for event in list(newest.values())[:keep]:
            truth.write(event.id, event.data, now_ms=event.logged_ms)


class Server:
    """One push server's core, which has read the first `read` events of each truth that it serves."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.hub = Hub(world.catalog, Counters(), kernel_write)
        self.readers: list[Reader] = []
        self.read: dict[str, int] = {}
        self.truths: dict[str, Truth] = {}
        self.lost: dict[str, dict[int, int]] = {}
        for collection in world.catalog:
            self.serve(collection.name)

    def connect(self, wire: str, *, limit_bytes: int) -> Reader:
        """A new connection, without watches."""
        reader = Reader(
            self.hub, wire, self.truths.__getitem__, self.world.bank, self.world.stalls, limit_bytes=limit_bytes
        )
        self.hub.join(reader.subscriber)
        self.readers.append(reader)
        return reader

    def serve(self, name: str) -> None:
        """Read the truth that there is now from its beginning to its end, and serve it."""
        for reader in self.readers:
            reader.observe()
        truth = self.truths[name] = self.world.truths[name]
        fresh = Channel.empty(self.world.catalog.get(name), truth.epoch, len(truth.ends))
        fresh.apply(truth.events, dict(enumerate(truth.ends)))
        self.read[name], self.lost[name] = len(truth.events), {}
        for reader in self.readers:
            reader.forget_waiting(name)
        self.hub.serve(fresh)

    def feed(self, name: str, count: int) -> None:
        """Broadcast the next events, at most `count`, as one batch."""
        for reader in self.readers:
            reader.observe()
        truth, channel, start = self.truths[name], self.hub.channels[name], self.read[name]
        batch = truth.events[start : start + count]
        self.read[name] += len(batch)
        for event in batch:
            concerned = {
                m.subscriber for group, _ in channel.audience.match([event]) for m in group if m.mode == "state"
            }
            for reader in self.readers:
                if reader.subscriber in concerned:
                    reader.offer(event, truth)
        written = [len(reader.sink.written) for reader in self.readers]
        self.hub.broadcast(channel, batch, {event.partition: event.offset + 1 for event in batch})
        for reader, before in zip(self.readers, written, strict=True):
            writes = len(reader.sink.written) - before
            assert writes <= 1 or reader.sink.closed, f"{writes} writes for one batch: {reader}"

    def catch_up(self, name: str) -> None:
        """Read everything that there is."""
        if self.truths[name] is not self.world.truths[name]:
            self.serve(name)
        self.feed(name, len(self.truths[name].events))

    def expire(self, name: str, now_ms: int) -> None:
        """Let tombstones and history grow old."""
        channel, truth = self.hub.channels[name], self.truths[name]
        channel.table.expire_tombstones(now_ms, 3)
        if channel.history is not None:
            channel.history.expire(now_ms)
        if channel.table.held:
            self._note_lost(truth, channel)

    def leave(self, reader: Reader) -> None:
        """The connection is gone."""
        self.readers.remove(reader)
        self.hub.leave(reader.subscriber)

    def subscribe(self, reader: Reader, request: WatchRequest, banked: Bookmark | None) -> str:
        """Ask as a client does, waiting where the server says so; returns how that went."""
        name = request.watch.collection
        for settled in (False, True):
            resume = self._resume(request, banked)
            view = View(request.watch, request.mode, self.truths[name], resume=resume, snapshot=request.snapshot)
            try:
                waits = reader.subscribe(request, view, settled=settled)
            except Problem as problem:
                return self._on_refused(request, view, problem)
            if waits is None:
                return "begun"
            self._on_ahead(name, waits)
        raise AssertionError("it waits for ever")

    def _resume(self, request: WatchRequest, banked: Bookmark | None) -> Resume | None:
        name = request.watch.collection
        if banked is not None:
            return banked.resume(request.watch, self.world.catalog.get(name).tag, self.truths[name].epoch)
        if request.since_ms is not None:
            starts = self.truths[name].positions_since(request.since_ms)
            return Resume({}, starts, starts)
        return None

    def _on_ahead(self, name: str, waits: CatchUp) -> None:
        truth, positions = self.truths[name], self.hub.channels[name].positions
        ahead = any(at > positions[p] for p, at in waits.segment.positions.items() if p < len(positions))
        assert ahead or waits.segment.epoch != truth.epoch, f"{waits} is not ahead of {positions}"
        self.catch_up(name)

    def _on_refused(self, request: WatchRequest, view: View, problem: Problem) -> str:
        if problem.code != "expired":
            return problem.code
        channel = self.hub.channels[request.watch.collection]
        assert request.mode == "log" or not channel.table.held
        assert view.must_reset or channel.history is not None
        cursor = problem.members["cursor"]
        again = Reader(self.hub, "ws", self.truths.__getitem__, self.world.bank, Stalls(), limit_bytes=10_000)
        begun = again.session.subscribe(request._replace(cursor=cursor, since_ms=None))
        assert begun is None, "the cursor that comes with `expired` can be used at once"
        assert not again.sink.closed
        self.hub.leave(again.subscriber)
        return problem.code

    def _note_lost(self, truth: Truth, channel: Channel) -> None:
        read = truth.events[: self.read[truth.collection]]
        for event in {event.id: event for event in read}.values():
            if event.data is None and channel.table.get(event.id) is None:
                lost = self.lost[truth.collection]
                lost[event.partition] = max(lost.get(event.partition, 0), event.offset + 1)


def audience_sizes(server: Server) -> Mapping[str, int]:
    """How many watches each collection's audience counts."""
    return {name: channel.audience.size for name, channel in server.hub.channels.items()}
