"""Openings of one connection: whose turn it is, and whose `synced` is told when."""

import pytest

from services.pushserver import opening as opening_module
from services.pushserver.channel import Channel
from services.pushserver.close import SLOW
from services.pushserver.counters import Counters
from services.pushserver.opening import Opening, Openings
from services.pushserver.resume import Begin
from services.pushserver.subscriber import Subscriber
from services.pushserver.subscription import Subscription
from services.pushserver.walk import Walk
from services.pushserver.wire import LINES
from shared.resource import Watch
from tests.support.core_client import Client, broadcast, hub_of
from tests.support.core_output import FakeSink, read_lines
from tests.support.events import channel, delete, put

LINE = LINES["compact"]


def opening(served: Channel, begin: Begin | None = None, label: str = "stocks", ref: object = None) -> Opening:
    subscriber = Subscriber(LINE, FakeSink(), Counters(), limit_bytes=1000)
    watch = Watch.parse(label)
    begun = begin or Begin(Walk.snapshot(served, watch))
    return Opening(Subscription(subscriber, served, watch, "state"), begun, ref)


def events(pieces: list[bytes]) -> list[str]:
    return [said.frame["event"] for piece in pieces for said in read_lines(piece) if said.frame]


def test_a_reset_comes_first_and_once() -> None:
    served = channel(put("a", 0))
    told = opening(served, Begin(Walk.snapshot(served, Watch("stocks")), reset="epoch"))
    assert events(told.pull(LINE)[0]) == ["reset", "put"]
    assert told.told
    assert told.pull(LINE)[0] == []


def test_nothing_to_tell_is_told_at_once() -> None:
    told = opening(channel(put("a", 0)), Begin(None))
    assert told.told
    assert not told.broken
    assert not told.start_over()


def test_a_pull_costs_what_it_writes_and_what_it_looks_at() -> None:
    served = channel(*(put(f"{at}", at) for at in range(1000)))
    pieces, cost = opening(served, label="stocks?prefix=z").pull(LINE)
    assert pieces == []
    assert cost > 1000
    pieces, cost = opening(served).pull(LINE)
    assert cost > sum(map(len, pieces))


def test_it_is_told_once_it_has_caught_up_with_the_channel() -> None:
    served = channel(put("a", 0))
    told = opening(served)
    told.pull(LINE)
    assert told.told
    served.apply([delete("a", 1)], {0: 2})
    assert not told.told
    assert events(told.pull(LINE)[0]) == ["delete"]
    assert told.told


def test_synced_says_whether_it_resumed_and_for_whom() -> None:
    told = opening(channel(), Begin(None, resumed=True), "stocks/a", ref=7)
    assert told.synced_frame("c") == {
        "event": "synced", "watch": "stocks/a", "cursor": "c", "resumed": True, "ref": 7
    }  # fmt: skip


def test_one_after_another_each_is_done_by_itself() -> None:
    served = channel()
    first, second = opening(served), opening(served)
    openings = Openings(together=False)
    openings.add(first)
    openings.add(second)
    assert openings.head is first
    assert openings.finish() == [first]
    assert openings.head is second
    assert openings.finish() == [second]
    assert not openings


def test_together_all_wait_for_the_last() -> None:
    served = channel()
    first, second = opening(served), opening(served)
    openings = Openings(together=True)
    openings.add(first)
    openings.add(second)
    assert openings.finish() == []
    assert openings
    assert openings.finish() == [first, second]


def test_who_waited_for_one_that_is_dropped_waits_no_longer() -> None:
    served = channel()
    first, second = opening(served), opening(served)
    openings = Openings(together=True)
    openings.add(first)
    openings.add(second)
    openings.finish()
    assert openings.forget(second.subscription) == [first]
    assert not openings


def test_what_changes_during_a_snapshot_is_told_before_synced_and_nothing_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(opening_module, "PIECE_BYTES", 50)
    client = Client(hub_of(*(put(name, at, b"1" * 50) for at, name in enumerate("abcd"))))
    client.sink.room = 1
    client.watch("stocks")
    assert client.story() == ["a@0"]
    broadcast(client.hub, delete("a", 4), put("b", 5), put("e", 6))
    client.sink.drain()
    assert client.story() == ["c@2", "d@3", "-a@4", "b@5", "e@6", "synced"]


def test_a_snapshot_goes_on_as_long_as_it_is_behind_and_never_waits_in_a_mailbox(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(opening_module, "PIECE_BYTES", 200)
    client = Client(hub_of(put("a", 0, b"1" * 50)), limit_bytes=1000)
    client.subscriber.blocked = True
    client.watch("stocks")
    broadcast(client.hub, *(put(f"{at}", at, b"1" * 90) for at in range(1, 700)))
    client.sink.drain()
    assert client.sink.closed is None
    assert client.story() == ["a@0", *(f"{at}@{at}" for at in range(1, 700)), "synced"]


def test_a_delete_that_expired_during_a_snapshot_starts_it_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening_module, "PIECE_BYTES", 50)
    client = Client(hub_of(put("a", 0, b"1" * 50), put("b", 1), delete_retention_s=1))
    client.sink.room = 1
    client.watch("stocks")
    broadcast(client.hub, delete("a", 2))
    client.hub.channel("stocks").table.expire_tombstones(1_000_000, 10)
    client.sink.drain()
    first, reset, *rest = client.frames()
    assert (first["version"], reset["event"], reset["reason"]) == ("0", "reset", "expired")
    assert [frame["event"] for frame in rest] == ["put", "synced"]
    assert not rest[-1]["resumed"]


def test_records_that_were_dropped_during_a_resume_end_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening_module, "PIECE_BYTES", 50)
    hub = hub_of(history_records=4)
    first = Client(hub)
    first.watch("stocks", "log")
    cursor = first.frames()[0]["cursor"]
    broadcast(hub, *(put("a", at, b"1" * 50) for at in range(4)))
    client = Client(hub)
    client.sink.room = 1
    client.watch("stocks", "log", cursor=cursor)
    broadcast(hub, *(put("a", at) for at in range(4, 9)))
    client.sink.drain()
    assert client.story() == ["a@0", "problem"]
    assert client.sink.closed is SLOW
