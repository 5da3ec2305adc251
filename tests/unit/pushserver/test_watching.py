"""The core as a whole against a naive model: any interleaving of writes, readers, stalls, resumes and new epochs.

WATCHROUTE_SOAK_S lets it search with fresh randomness for about that many seconds; by default it is the same every time.
"""

import os
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.pushserver import change, log, opening, subscriber, walk
from services.pushserver.subscription import WatchRequest
from shared.catalog import Catalog, CollectionSettings, Mode
from shared.resource import Watch
from tests.support.core_reader import Reader
from tests.support.core_server import Server, World, audience_sizes
from tests.support.model import Bookmark

SOAK_S: Final = float(os.environ.get("WATCHROUTE_SOAK_S", "0"))
IDS: Final = ("a", "ab", "abc", "b", "ba")
COLLECTIONS: Final = ("stocks", "orders", "feed")
WATCHES: Final = (
    *(Watch("", resource_id) for resource_id in ("a", "ab", "b")),
    *(Watch("", prefix=prefix) for prefix in ("a", "ab", "abcd")),
    Watch(""),
    Watch(""),
)
NUMBERS: Final = st.integers(0, 1000)
MODES: Final[st.SearchStrategy[Mode]] = st.sampled_from(("state", "log"))
CATALOG: Final = {
    "stocks": CollectionSettings(modes=("state", "log"), history_records=6, delete_retention_s=10),
    "orders": CollectionSettings(modes=("state",), delete_retention_s=10),
    "feed": CollectionSettings(modes=("state", "log"), state="none", history_records=6),
}
SMALL: Final = (
    (log, "CHUNK", 4),
    (walk, "SCAN", 2),
    (opening, "PIECE_BYTES", 300),
    (subscriber, "PIECE_BYTES", 300),
    (subscriber, "PUMP_BYTES", 700),
    (change, "MARK_EVERY", 2),
    (subscriber, "MARK_EVERY", 2),
)


class Watching(RuleBasedStateMachine):
    """Two servers, the clients of both, and what Kafka holds."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = pytest.MonkeyPatch()
        for module, name, value in SMALL:
            self.patches.setattr(module, name, value)

    @initialize(partitions=st.integers(1, 3), names=st.lists(st.sampled_from(COLLECTIONS), min_size=1, max_size=2))
    def start(self, partitions: int, names: list[str]) -> None:
        # Few collections at a time, so that what happens happens to the same ones.
        self.names = names
        self.world = World(Catalog(CATALOG), partitions)
        self.servers = [Server(self.world), Server(self.world)]

    def teardown(self) -> None:
        try:
            if hasattr(self, "servers"):
                self.settle()
        finally:
            self.patches.undo()

    # What happens to Kafka and to the servers

    @rule(at=NUMBERS, ids=st.lists(st.sampled_from(IDS), min_size=1, max_size=8), n=NUMBERS)
    def put(self, at: int, ids: list[str], n: int) -> None:
        for resource_id in ids:
            self.world.write(self.name(at), resource_id, b'{"n":%d,"pad":"%b"}' % (n, b"x" * (n % 150)), gap=n % 3 == 0)

    @rule(at=NUMBERS, resource_id=st.sampled_from(IDS))
    def delete(self, at: int, resource_id: str) -> None:
        self.world.write(self.name(at), resource_id, None)

    @rule(which=NUMBERS, at=NUMBERS, count=st.integers(1, 9))
    def feed(self, which: int, at: int, count: int) -> None:
        self.servers[which % 2].feed(self.name(at), count)

    @rule(which=NUMBERS, at=NUMBERS, later_ms=st.integers(0, 15_000))
    def expire(self, which: int, at: int, later_ms: int) -> None:
        self.servers[which % 2].expire(self.name(at), self.world.now_ms + later_ms)

    @rule(at=NUMBERS, partitions=st.integers(1, 3), keep=st.integers(0, 3))
    def make_topic_anew(self, at: int, partitions: int, keep: int) -> None:
        self.world.renew(self.name(at), partitions, keep)

    @rule(which=NUMBERS, at=NUMBERS)
    def catch_up(self, which: int, at: int) -> None:
        self.servers[which % 2].catch_up(self.name(at))

    # What clients do

    @rule(
        which=NUMBERS,
        wire=st.sampled_from(("ws", "sse", "lines")),
        wanted=st.lists(st.tuples(NUMBERS, st.sampled_from(WATCHES)), min_size=1, max_size=3),
        mode=MODES,
        room=st.none() | st.integers(1, 4),
        resume=st.none() | NUMBERS,
        limit=st.sampled_from((1200, 100_000)),
    )
    def connect(
        self, which: int, wire: str, wanted: list[tuple[int, Watch]], mode: Mode, room: int | None, resume: int | None, limit: int
    ) -> None:
        server, banked = self.servers[which % 2], self.banked(resume)
        watches = list(dict.fromkeys(self.watch(at, watch) for at, watch in wanted))
        if wire == "sse" and len(watches) == 1 and watches[0].id is not None:
            wire = "sse-one"
        reader = server.connect(wire, limit_bytes=limit)
        reader.sink.room = room
        cursor = banked.cursor if banked else None
        for watch in watches:
            server.subscribe(reader, WatchRequest(watch, mode, cursor=cursor), banked)
        self.observe()
        if not reader.views:
            server.leave(reader)

    @rule(
        which=NUMBERS,
        wanted=st.tuples(NUMBERS, st.sampled_from(WATCHES)),
        mode=MODES,
        snapshot=st.booleans(),
        resume=st.none() | NUMBERS,
        ago_ms=st.none() | st.integers(0, 9000),
    )
    def subscribe(
        self, which: int, wanted: tuple[int, Watch], mode: Mode, snapshot: bool, resume: int | None, ago_ms: int | None
    ) -> None:
        server, reader = self.any_reader(which, "ws")
        watch = self.watch(*wanted)
        if reader is None or watch.label in reader.views:
            return
        banked = self.banked(resume)
        since_ms = None if ago_ms is None or banked else max(0, self.world.now_ms - ago_ms)
        request = WatchRequest(watch, mode, snapshot, banked.cursor if banked else None, since_ms)
        server.subscribe(reader, request, banked)

    @rule(which=NUMBERS)
    def unsubscribe(self, which: int) -> None:
        _, reader = self.any_reader(which, "ws")
        if reader is not None and reader.views:
            labels = sorted(reader.views)
            reader.unsubscribe(labels[which % len(labels)])

    @rule(which=NUMBERS, room=st.integers(0, 3))
    def block(self, which: int, room: int) -> None:
        _, reader = self.any_reader(which)
        if reader is not None:
            reader.sink.room = room
            reader.subscriber.blocked |= room == 0

    @rule(which=NUMBERS)
    def unblock(self, which: int) -> None:
        _, reader = self.any_reader(which)
        if reader is not None and reader.subscriber.blocked:
            reader.sink.room = None
            reader.sink.woken = reader.subscriber.on_writable()

    @rule(which=NUMBERS)
    def pump(self, which: int) -> None:
        _, reader = self.any_reader(which)
        if reader is not None and reader.sink.woken:
            reader.sink.woken = reader.subscriber.pump()

    @rule(which=NUMBERS)
    def tick(self, which: int) -> None:
        _, reader = self.any_reader(which)
        if reader is not None:
            reader.subscriber.tick()

    @rule(which=NUMBERS, politely=st.booleans())
    def leave(self, which: int, politely: bool) -> None:
        server, reader = self.any_reader(which)
        if reader is not None:
            if politely:
                reader.subscriber.go_away(100)
                reader.observe()
                assert reader.sink.closed
            server.leave(reader)

    # What has to hold

    @precondition(lambda self: hasattr(self, "servers"))
    @invariant()
    def observe(self) -> None:
        for server in self.servers:
            for reader in list(server.readers):
                reader.observe()
                if reader.sink.closed:
                    server.leave(reader)
            for name, size in audience_sizes(server).items():
                watches = [s for r in server.readers for s in r.subscriber.subscriptions if s.channel.name == name]
                assert sum(watch.synced for watch in watches) <= size <= len(watches)

    def settle(self) -> None:
        """With no further writes, everyone who reads ends with everything, and nobody waits for a call."""
        for server in self.servers:
            for name in COLLECTIONS:
                server.catch_up(name)
            self.observe()
            for reader in list(server.readers):
                reader.sink.drain()
            self.observe()
            assert sum(audience_sizes(server).values()) == sum(len(reader.views) for reader in server.readers)
            for reader in list(server.readers):
                self.require_converged(server, reader)
            for reader in list(server.readers):
                server.leave(reader)
            assert not any(audience_sizes(server).values())

    def require_converged(self, server: Server, reader: Reader) -> None:
        assert reader.subscriber.caught_up, reader
        reader.subscriber.tick()
        reader.observe()
        for view in reader.views.values():
            assert view.synced
            ends = server.hub.channels[view.watch.collection].positions
            assert all(at == ends[partition] for partition, at in view.cursor.items()), view
            view.on_cursor(dict(enumerate(ends)))

    # Which one

    def name(self, at: int) -> str:
        return self.names[at % len(self.names)]

    def watch(self, at: int, watch: Watch) -> Watch:
        return watch._replace(collection=self.name(at))

    def any_reader(self, which: int, wire: str = "") -> tuple[Server, Reader | None]:
        found = [
            (server, reader)
            for server in self.servers
            for reader in server.readers
            if reader.subscriber.wire.name.startswith(wire) and not reader.subscriber.ended
        ]
        return found[which % len(found)] if found else (self.servers[0], None)

    def banked(self, which: int | None) -> Bookmark | None:
        bank = self.world.bank
        return None if which is None or not bank else bank[which % len(bank)]


TestWatching = Watching.TestCase
TestWatching.settings = settings(
    max_examples=int(os.environ.get("EX","200")),
    stateful_step_count=int(os.environ.get("STEPS","40")),
    deadline=None,
    derandomize=not SOAK_S,
    database=None,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
)
