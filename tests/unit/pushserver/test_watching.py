"""The core as a whole against a naive model: any interleaving of writes, readers, stalls, resumes and new epochs.

It searches the same cases every time, and for WATCHROUTE_SOAK_S seconds new ones, which it prints when they fail.
"""

import os
import sys
import time
from typing import ClassVar, Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from services.pushserver.close import GOING_AWAY
from services.pushserver.subscription import WatchRequest
from shared.catalog import Catalog, CollectionSettings
from tests.support.core_asks import ASKS, BATCHES, CLIENTS, NUMBERS, Ask, Batch, Client
from tests.support.core_reader import Reader
from tests.support.core_server import Server, World, audience_sizes
from tests.support.core_stalls import DUE, POINTS, Stalls
from tests.support.model import Bookmark

EXAMPLES: Final = 500
STEPS: Final = 25
SOAK_S: Final = float(os.environ.get("WATCHROUTE_SOAK_S", "0"))
LEAVING: Final = ("unsubscribe", "unsubscribe", "vanish", "sent away", "its overlap is over")
COLLECTIONS: Final = ("stocks", "orders", "feed")
CATALOG: Final = {
    "stocks": CollectionSettings(modes=("state", "log"), history_records=6, delete_retention_s=10),
    "orders": CollectionSettings(modes=("state",), delete_retention_s=10),
    "feed": CollectionSettings(modes=("state", "log"), state="none", history_records=6),
}
SMALL: Final = {"CHUNK": 4, "SCAN": 2, "PIECE_BYTES": 700, "PUMP_BYTES": 1500, "MARK_EVERY": 2}
"""Sizes so small that a handful of events fills chunks and takes several pieces."""


def make_small(patches: pytest.MonkeyPatch) -> None:
    core = [module for name, module in sys.modules.items() if name.startswith("services.pushserver.")]
    for size, value in SMALL.items():
        places = [module for module in core if hasattr(module, size)]
        assert places, f"{size} has another name now"
        for module in places:
            patches.setattr(module, size, value)


class Watching(RuleBasedStateMachine):
    """Two servers, the clients of both, and what Kafka holds. `stalls` counts over all cases."""

    stalls: ClassVar = Stalls()

    def __init__(self) -> None:
        super().__init__()
        self.broken = False
        self.patches = pytest.MonkeyPatch()
        make_small(self.patches)

    @initialize(
        partitions=st.integers(1, 3),
        names=st.lists(st.sampled_from(COLLECTIONS), min_size=1, max_size=2),
        batch=BATCHES,
        clients=st.lists(CLIENTS, min_size=1, max_size=4),
    )
    def start(self, partitions: int, names: list[str], batch: Batch, clients: list[Client]) -> None:
        # Few collections at a time, so that what happens happens to the same ones.
        self.names = names
        self.world = World(Catalog(CATALOG), partitions, self.stalls)
        self.servers = [Server(self.world), Server(self.world)]
        self.write(0, batch, 0, (0, 1), None, 0)
        for client in clients:
            self.connect(client)

    def teardown(self) -> None:
        try:
            if hasattr(self, "servers") and not self.broken:
                self.settle()
        finally:
            self.patches.undo()

    # What happens to Kafka and to the servers

    @rule(
        at=NUMBERS,
        batch=BATCHES,
        pad=st.integers(0, 150),
        fed=st.sampled_from(((), (0,), (1,), (0, 1), (0, 1))),
        stalled=st.none() | NUMBERS,
        later_ms=st.sampled_from((0, 0, 11_000)),
    )
    def write(self, at: int, batch: Batch, pad: int, fed: tuple[int, ...], stalled: int | None, later_ms: int) -> None:
        if stalled is not None:
            self.stall(stalled, 0)
        for resource_id, dice in batch:
            data = None if dice == 0 else b'{"pad":"%b"}' % (b"x" * pad)
            self.world.write(self.name(at), resource_id, data, gap=dice // 3)
        for server in fed:
            self.servers[server].feed(self.name(at), len(batch))
            self.servers[server].expire(self.name(at), self.world.now_ms + later_ms)

    @rule(server=st.integers(0, 1), at=NUMBERS, count=st.integers(1, 9))
    def feed(self, server: int, at: int, count: int) -> None:
        self.servers[server].feed(self.name(at), count)

    @rule(at=NUMBERS, partitions=st.integers(1, 3), keep=st.integers(0, 3), server=st.none() | st.integers(0, 1))
    def make_topic_anew(self, at: int, partitions: int, keep: int, server: int | None) -> None:
        self.world.renew(self.name(at), partitions, keep)
        if server is not None:
            self.servers[server].catch_up(self.name(at))

    # What clients do

    @rule(client=CLIENTS)
    def connect(self, client: Client) -> None:
        server, wire = self.servers[client.server], client.wire
        if wire == "sse" and len(client.asks) == 1 and client.asks[0].watch.id is not None:
            wire = "sse-one"
        reader = server.connect(wire, limit_bytes=client.limit_bytes)
        reader.sink.room = client.room
        for ask in client.asks:
            self.ask(server, reader, ask)
        self.observe()
        if not reader.views and not reader.sink.closed:
            server.leave(reader)

    @rule(
        which=NUMBERS,
        server=st.integers(0, 1),
        room=st.none() | st.integers(1, 2),
        meanwhile=st.just([]) | BATCHES,
        later_ms=st.sampled_from((0, 11_000)),
        afterwards=st.just([]) | BATCHES,
    )
    def reconnect(
        self, which: int, server: int, room: int | None, meanwhile: Batch, later_ms: int, afterwards: Batch
    ) -> None:
        before, reader = self.any_reader(which)
        if reader is None or reader.last is None:
            return
        before.leave(reader)
        self.write(which, meanwhile, 0, (0, 1), None, later_ms)
        again = self.servers[server].connect(reader.wire, limit_bytes=reader.subscriber.limit_bytes)
        again.sink.room = room
        for view in reader.views.values():
            request = WatchRequest(view.watch, view.mode, view.snapshot, reader.last.cursor)
            self.servers[server].subscribe(again, request, reader.last)
        self.write(which, afterwards, 0, (0, 1), None, later_ms)

    @rule(which=NUMBERS, ask=ASKS)
    def subscribe(self, which: int, ask: Ask) -> None:
        server, reader = self.any_reader(which, "ws")
        if reader is not None:
            self.ask(server, reader, ask)

    def ask(self, server: Server, reader: Reader, ask: Ask) -> None:
        request = WatchRequest(ask.watch._replace(collection=self.name(ask.at)), ask.mode, ask.snapshot)
        banked = self.banked(ask.resume)
        if banked is not None:
            request = request._replace(cursor=banked.cursor)
        elif ask.ago_ms is not None:
            request = request._replace(since_ms=max(0, self.world.now_ms - ask.ago_ms))
        if request.watch.label not in reader.views:
            server.subscribe(reader, request, banked)

    @rule(which=NUMBERS, room=st.integers(0, 3))
    def stall(self, which: int, room: int) -> None:
        _, reader = self.any_reader(which)
        if reader is not None:
            reader.sink.room = room
            reader.subscriber.blocked |= room == 0

    @rule(which=NUMBERS, room=st.none() | st.integers(1, 3), tick=st.booleans())
    def go_on(self, which: int, room: int | None, *, tick: bool) -> None:
        _, reader = self.any_reader(which)
        if reader is None:
            return
        if tick:
            reader.sink.note(DUE)
            reader.bookmark_owed = not reader.quiet
            reader.subscriber.tick()
        if reader.subscriber.blocked:
            reader.sink.room = room
            reader.sink.empty()
        elif reader.sink.woken:
            reader.sink.woken = reader.subscriber.pump()

    @rule(which=NUMBERS, missed=st.lists(BATCHES, min_size=2, max_size=4), room=st.integers(1, 2), tick=st.booleans())
    def fall_behind(self, which: int, missed: list[Batch], room: int, *, tick: bool) -> None:
        _, reader = self.any_reader(which)
        if reader is None or not reader.views:
            return
        self.stall(which, 0)
        watched = sorted({view.watch.collection for view in reader.views.values()})
        for batch in missed:
            self.write(self.names.index(watched[which % len(watched)]), batch, 150, (0, 1), None, 0)
        # Whoever was too slow has gone meanwhile, and the number means another one.
        if reader is self.any_reader(which)[1]:
            self.go_on(which, room, tick=tick)

    @rule(which=NUMBERS, how=st.sampled_from(LEAVING))
    def leave(self, which: int, how: str) -> None:
        server, reader = self.any_reader(which, "ws" if how == "unsubscribe" else "")
        if reader is None:
            return
        if how == "unsubscribe":
            if reader.views:
                reader.unsubscribe(sorted(reader.views)[which % len(reader.views)])
            return
        if how == "sent away":
            reader.subscriber.go_away(100)
            reader.observe()
            return
        if how == "its overlap is over":
            reader.subscriber.bookmark()
            reader.subscriber.end(GOING_AWAY)
            reader.observe()
            assert reader.sink.closed
        server.leave(reader)

    # What has to hold

    @precondition(lambda self: hasattr(self, "servers"))
    @invariant()
    def observe(self) -> None:
        # What comes after a broken promise would only hide it.
        self.broken = True
        self.judge()
        self.broken = False

    def judge(self) -> None:
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
        assert not reader.bookmark_owed, f"its bookmark never came: {reader}"
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


def search(examples: int, *, derandomize: bool) -> None:
    run_state_machine_as_test(
        Watching,
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=derandomize,
            database=None,
            print_blob=True,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.soak
def test_any_interleaving_keeps_the_promises_of_the_protocol() -> None:
    until = time.monotonic() + SOAK_S
    Watching.stalls.clear()
    search(EXAMPLES, derandomize=True)
    assert Watching.stalls.keys() >= POINTS, "a place where no reader has stalled is one that nobody looked at"
    while time.monotonic() < until:
        search(EXAMPLES, derandomize=False)
