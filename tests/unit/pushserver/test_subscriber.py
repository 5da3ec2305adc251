"""One connection: what is written at once, what waits, and what the cursors say of both."""

from typing import Any

import pytest

from services.pushserver import opening
from services.pushserver.close import EXPIRED, GOING_AWAY, SLOW
from services.pushserver.wire import LINES, SSE, SSE_ONE
from shared.cursor import decode_cursor
from tests.support.core_client import Client, broadcast, fresh, hub_of
from tests.support.events import delete, put


def positions(cursor: str | None) -> dict[int, int]:
    assert cursor is not None
    (segment,) = decode_cursor(cursor)
    return dict(segment.positions)


def watching(label: str = "stocks", **settings: Any) -> Client:
    """A client that is synced, over a WebSocket."""
    client = Client(hub_of(put("a", 0), **settings))
    client.watch(label)
    client.frames()
    return client


def test_a_small_snapshot_is_one_write_with_its_synced() -> None:
    client = Client(hub_of(put("a", 0), put("b", 1)))
    client.watch("stocks")
    assert len(client.sink.written) == 1
    assert client.story() == ["a@0", "b@1", "synced"]


def test_a_blocked_reader_gets_the_newest_later_and_is_told_how_much_was_left_out() -> None:
    client = watching()
    client.subscriber.blocked = True
    for at in range(1, 11, 2):
        broadcast(client.hub, put("a", at), put("b", at + 1))
    assert client.sink.written == []
    client.sink.drain()
    assert client.story() == ["a@9", "b@10"]
    client.subscriber.tick()
    client.subscriber.tick()
    assert [frame["skipped"] for frame in client.frames()] == [8, 0]
    assert client.hub.counters.elided == 8


def test_a_reader_of_records_misses_none() -> None:
    client = Client(hub_of())
    client.watch("stocks", "log")
    client.frames()
    client.subscriber.blocked = True
    broadcast(client.hub, put("a", 0), put("a", 1), delete("a", 2))
    client.sink.drain()
    assert client.story() == ["a@0", "a@1", "-a@2"]


def test_what_comes_while_something_waits_waits_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.pushserver.subscriber.PIECE_BYTES", 1)
    monkeypatch.setattr("services.pushserver.subscriber.PUMP_BYTES", 1)
    client = watching()
    client.subscriber.blocked = True
    broadcast(client.hub, put("a", 1), put("b", 2))
    assert client.sink.empty(), "others get their turn before b"
    broadcast(client.hub, put("c", 3))
    client.sink.woken = True
    client.sink.drain()
    assert client.story() == ["a@1", "b@2", "c@3"]


@pytest.mark.parametrize("blocked", [True, False])
def test_a_bookmark_waits_until_everything_is_written(monkeypatch: pytest.MonkeyPatch, *, blocked: bool) -> None:
    monkeypatch.setattr("services.pushserver.subscriber.PIECE_BYTES", 1)
    monkeypatch.setattr("services.pushserver.subscriber.PUMP_BYTES", 1)
    client = watching()
    client.subscriber.blocked = True
    broadcast(client.hub, put("a", 1), put("b", 2))
    if not blocked:
        assert client.sink.empty(), "b still waits"
    client.subscriber.tick()
    assert "bookmark" not in client.story()
    client.sink.woken = True
    client.sink.drain()
    *_, bookmark = client.frames()
    assert bookmark["event"] == "bookmark"
    assert positions(bookmark["cursor"]) == {0: 3}


def test_a_bookmark_waits_for_a_snapshot_too() -> None:
    client = Client(hub_of(put("a", 0)))
    client.subscriber.blocked = True
    client.watch("stocks")
    client.subscriber.tick()
    assert client.sink.written == []
    client.sink.drain()
    assert client.story() == ["a@0", "synced", "bookmark"]


def test_too_much_waiting_ends_the_connection_with_the_last_cursor() -> None:
    client = watching()
    before = client.subscriber.cursor()
    client.subscriber.limit_bytes = 1000
    client.subscriber.blocked = True
    broadcast(client.hub, *(put(f"{at}", at) for at in range(1, 9)))
    assert client.sink.closed is SLOW
    (problem,) = client.frames()
    assert (problem["code"], problem["cursor"], client.sink.cursor) == ("slow", before, before)
    broadcast(client.hub, put("a", 9))
    client.sink.drain()
    client.subscriber.tick()
    assert client.sink.written == []


def test_the_cursor_of_a_reader_that_is_behind_covers_what_was_written_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.pushserver.subscriber.PIECE_BYTES", 1)
    client = watching()
    client.subscriber.blocked = True
    broadcast(client.hub, put("a", 1), put("b", 2), put("a", 3))
    assert positions(client.subscriber.cursor()) == {0: 1}
    client.sink.room = 1
    client.sink.empty()
    assert client.story() == ["a@3"]
    assert positions(client.subscriber.cursor()) == {0: 2}, "b at 2 still waits"
    client.sink.drain()
    assert positions(client.subscriber.cursor()) == {0: 4}


def test_a_stream_is_told_its_place_between_the_pieces_of_a_batch() -> None:
    client = Client(hub_of(), SSE["json"], together=True)
    client.watch("stocks")
    client.said()
    broadcast(client.hub, *(put(f"{at}", at) for at in range(40)))
    said = client.said()
    marks = [positions(each.cursor)[0] for each in said if each.cursor]
    assert marks == [16, 32, 40]
    assert [at for at, each in enumerate(said) if each.cursor] == [16, 33, 42]


def test_a_stream_that_was_behind_is_told_its_place_as_often() -> None:
    client = Client(hub_of(), SSE["json"], together=True)
    client.watch("stocks")
    client.said()
    client.subscriber.blocked = True
    broadcast(client.hub, *(put(f"{at}", at) for at in range(40)))
    client.sink.drain()
    assert [positions(each.cursor)[0] for each in client.said() if each.cursor] == [16, 32, 40]


def test_a_stream_of_one_resource_has_its_place_with_every_frame() -> None:
    client = Client(hub_of(put("a", 4)), SSE_ONE["json"], together=True)
    client.watch("stocks/a")
    broadcast(client.hub, put("a", 7))
    assert [positions(each.cursor)[0] for each in client.said()] == [5, 5, 8]


def test_several_watches_together_tell_every_snapshot_before_any_synced() -> None:
    client = Client(hub_of(put("a", 0), put("b", 1)), SSE["json"], together=True)
    client.subscriber.blocked = True
    for label in ("stocks/a", "stocks/b"):
        client.watch(label)
    client.sink.drain()
    said = client.said()
    assert [each.frame and each.frame["event"] for each in said] == ["put", "put", "synced", "synced"]
    assert [each.cursor is not None for each in said] == [False, False, False, True]


def test_several_watches_one_by_one_are_synced_one_by_one() -> None:
    client = Client(hub_of(put("a", 0), put("b", 1)))
    client.subscriber.blocked = True
    for label in ("stocks/a", "stocks/b"):
        client.watch(label)
    client.sink.drain()
    assert client.story() == ["a@0", "synced", "b@1", "synced"]


def test_a_watch_that_ends_takes_what_waits_for_it_along() -> None:
    client = watching("stocks/a")
    client.watch("stocks?prefix=b")
    client.frames()
    client.subscriber.blocked = True
    broadcast(client.hub, put("a", 1), put("b", 2))
    client.subscriber.drop(next(iter(client.subscriber.subscriptions)))
    client.sink.drain()
    assert client.story() == ["b@2"]


def test_a_watch_that_ends_in_its_snapshot_lets_the_others_be_synced() -> None:
    client = Client(hub_of(put("a", 0), put("b", 1)), SSE["json"], together=True)
    client.sink.room = 1
    client.watch("stocks/a")
    client.watch("stocks/b")
    assert client.subscriber.blocked
    client.subscriber.drop(list(client.subscriber.subscriptions)[1])
    client.sink.drain()
    assert client.story() == ["a@0", "synced", "bookmark"]


def test_going_away_is_a_bookmark_and_a_goaway() -> None:
    client = watching()
    client.subscriber.blocked = True
    broadcast(client.hub, put("a", 1))
    client.subscriber.go_away(300, at_once=True)
    bookmark, goaway = client.frames()
    assert (bookmark["event"], goaway["event"], goaway["reconnect_in_ms"]) == ("bookmark", "goaway", 300)
    assert positions(bookmark["cursor"]) == {0: 1}, "what waited was never written"
    assert goaway["cursor"] == bookmark["cursor"]
    client.subscriber.end(GOING_AWAY)
    client.subscriber.go_away(300)
    assert client.frames() == []


def test_who_goes_away_in_time_is_told_on_and_hears_once_what_was_elided() -> None:
    client = watching()
    client.subscriber.blocked = True
    broadcast(client.hub, put("a", 1))
    broadcast(client.hub, put("a", 2))
    client.subscriber.go_away(300)
    (goaway,) = client.frames()
    assert (goaway["event"], positions(goaway["cursor"])) == ("goaway", {0: 1}), "what waits was never written"
    assert client.sink.closed is None
    client.sink.drain()
    late, bookmark = client.frames()
    assert (late["version"], bookmark["event"], bookmark["skipped"]) == ("2", "bookmark", 1)
    client.subscriber.tick()
    assert [frame["skipped"] for frame in client.frames()] == [0]


def test_a_poll_hears_no_bookmarks_and_no_synced_of_a_resume() -> None:
    hub = hub_of(put("a", 0))
    cursor = None
    for story in (["a@0", "synced"], []):
        client = Client(hub, LINES["json"], together=True, quiet=True)
        client.watch("stocks", cursor=cursor)
        client.subscriber.tick()
        assert client.story() == story
        assert client.subscriber.caught_up
        cursor = client.subscriber.cursor()


def test_before_anything_is_synced_there_is_no_cursor() -> None:
    client = Client(hub_of(put("a", 0)))
    client.subscriber.blocked = True
    client.watch("stocks")
    assert client.subscriber.cursor() is None
    client.subscriber.go_away(1, at_once=True)
    assert [frame["cursor"] for frame in client.frames()] == [None, None]


def test_a_stream_whose_only_watch_expires_ends() -> None:
    client = Client(hub_of(put("a", 5)), SSE["json"], together=True)
    client.watch("stocks", "log")
    client.said()
    client.hub.serve(fresh(client.hub, epoch=b"newer"))
    (problem,) = client.frames()
    assert problem["code"] == "expired"
    assert client.sink.closed is EXPIRED


def test_a_turn_ends_after_so_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "PIECE_BYTES", 200)
    monkeypatch.setattr("services.pushserver.subscriber.PUMP_BYTES", 400)
    client = Client(hub_of(*(put(f"{at}", at, b"1" * 100) for at in range(20))))
    client.watch("stocks")
    assert client.sink.woken, "others get their turn"
    assert 2 <= len(client.frames()) < 10


def test_a_search_that_finds_nothing_ends_its_turn_too() -> None:
    client = Client(hub_of(*(put(f"{at}", at) for at in range(40_000))))
    client.watch("stocks?prefix=z")
    assert client.sink.woken, "40 000 looks take longer than one turn"
    client.sink.drain()
    assert client.story() == ["synced"]


def test_of_many_watches_only_the_last_synced_tells_the_cursor_which_is_for_all() -> None:
    client = Client(hub_of(put("a", 0)))
    client.subscriber.blocked = True
    for label in ("stocks/a", "stocks/b", "stocks/c"):
        client.watch(label)
    client.sink.drain()
    cursors = [frame["cursor"] for frame in client.frames() if frame["event"] == "synced"]
    assert cursors == [None, None, client.subscriber.cursor()]


def test_when_the_last_watch_on_its_way_is_dropped_a_bookmark_tells_the_cursor_of_the_others() -> None:
    client = Client(hub_of(put("a", 0)))
    client.sink.room = 1
    for label in ("stocks/a", "stocks/b", "stocks/c"):
        client.watch(label)
    first = client.frames()[-1]
    assert (first["event"], first["watch"]) == ("synced", "stocks/a")
    for watch in ("stocks/b", "stocks/c"):
        client.session.on_op({"op": "unsubscribe", "watch": watch})
    client.sink.drain()
    assert client.frames()[-1]["cursor"] == client.subscriber.cursor()
