"""The overlap: who was sent away is told everything until he goes, or his time is over."""

from typing import Any

import pytest

from services.pushserver.close import CLIENT_CLOSED, GOING_AWAY, LEVELLED, SLOW, CloseReason
from services.pushserver.overlap import Overlap
from services.pushserver.settings import PushServerSettings
from services.pushserver.wire import LINES, SSE, WS_JSON, Wire
from shared.cursor import decode_cursor
from tests.support.core_client import Client, broadcast, hub_of
from tests.support.events import put


class Scene:
    """A hub, and those who are sent away by it; `at` is the time in milliseconds since the beginning."""

    def __init__(self, **settings: Any) -> None:
        self.now_s = 0.0
        self.hub = hub_of(put("a", 0))
        self.overlap = Overlap(PushServerSettings(**settings), lambda: self.now_s)

    def client(self, wire: Wire = WS_JSON["json"], **more: Any) -> Client:
        client = Client(self.hub, wire, **more)
        client.watch("stocks")
        client.sink.take()
        return client

    @staticmethod
    def ended(client: Client) -> CloseReason | None:
        return client.sink.closed

    def at(self, ms: float) -> None:
        self.now_s = ms / 1000
        self.overlap.look()


@pytest.fixture
def scene() -> Scene:
    return Scene(reconnect_ms=0, overlap_ms=2000)


def position(cursor: str | None) -> int:
    assert cursor is not None
    (segment,) = decode_cursor(cursor)
    return segment.positions[0]


def test_who_is_sent_away_is_told_on_until_the_deadline_and_then_a_cursor_of_all_that(scene: Scene) -> None:
    client = scene.client()
    scene.overlap.send_away(client.subscriber)
    assert client.story() == ["bookmark", "goaway"]
    scene.at(1999)
    broadcast(scene.hub, put("a", 1))
    client.subscriber.tick()
    broadcast(scene.hub, put("a", 2))
    assert client.story() == ["a@1", "bookmark", "a@2"]
    assert scene.ended(client) is None
    scene.at(2000)
    (bookmark,) = client.frames()
    assert (bookmark["event"], position(bookmark["cursor"])) == ("bookmark", 3)
    assert client.sink.cursor == bookmark["cursor"]
    assert scene.ended(client) is GOING_AWAY


def test_the_deadline_is_so_long_after_the_moment_at_which_it_is_to_come_back() -> None:
    scene = Scene(reconnect_ms=100_000, overlap_ms=500)
    clients = [scene.client() for _ in range(20)]
    for client in clients:
        scene.overlap.send_away(client.subscriber)
    told = {client: client.frames()[-1]["reconnect_in_ms"] for client in clients}
    assert len(set(told.values())) > 10, "at random"
    for client, reconnect_in_ms in sorted(told.items(), key=lambda each: each[1]):
        scene.at(reconnect_in_ms + 499)
        assert scene.ended(client) is None
        scene.at(reconnect_in_ms + 501)
        assert scene.ended(client) is GOING_AWAY
    assert len(scene.overlap) == 0


def test_operations_are_done_until_the_end(scene: Scene) -> None:
    client = scene.client()
    scene.overlap.send_away(client.subscriber)
    assert client.op(op="ping", ref=1) == {"event": "pong", "ref": 1}
    client.session.on_op({"op": "subscribe", "watch": "stocks/a", "ref": 2})
    assert client.story() == ["ack", "a@0", "synced"]


def test_who_was_sent_away_is_not_sent_away_again(scene: Scene) -> None:
    client = scene.client()
    scene.overlap.send_away(client.subscriber, LEVELLED)
    assert client.story() == ["bookmark", "goaway"]
    scene.at(1000)
    scene.overlap.send_away(client.subscriber)
    assert client.story() == []
    scene.at(2000)
    assert scene.ended(client) is LEVELLED


def test_who_goes_by_himself_was_sent_away_all_the_same_and_is_forgotten(scene: Scene) -> None:
    client, other = scene.client(), scene.client()
    scene.overlap.send_away(client.subscriber, LEVELLED)
    assert scene.overlap.reason_of(client.subscriber, CLIENT_CLOSED) is LEVELLED
    assert scene.overlap.reason_of(other.subscriber, CLIENT_CLOSED) is CLIENT_CLOSED
    scene.overlap.leave(client.subscriber)
    scene.overlap.leave(other.subscriber)
    assert len(scene.overlap) == 0
    client.frames()
    scene.at(2000)
    assert client.frames() == []


def test_another_end_comes_first(scene: Scene) -> None:
    client = scene.client()
    scene.overlap.send_away(client.subscriber)
    client.subscriber.too_slow("it has stopped")
    assert scene.ended(client) is SLOW
    client.frames()
    scene.at(2000)
    assert client.frames() == []
    scene.overlap.send_away(client.subscriber)
    assert client.frames() == []


def test_the_last_bookmark_of_who_is_behind_covers_what_was_written_only(scene: Scene) -> None:
    client = scene.client()
    client.subscriber.blocked = True
    broadcast(scene.hub, put("a", 1))
    scene.overlap.send_away(client.subscriber)
    client.frames()
    broadcast(scene.hub, put("b", 2))
    scene.at(2000)
    (bookmark,) = client.frames()
    assert position(bookmark["cursor"]) == 1
    assert scene.ended(client) is GOING_AWAY


def test_an_event_source_is_told_when_to_come_back_and_in_the_end_to_come_at_once(scene: Scene) -> None:
    client = scene.client(SSE["json"], together=True)
    scene.overlap.send_away(client.subscriber)
    told = client.sink.take()
    assert told.index(b"event: bookmark") < told.index(b"retry: 0\n") < told.index(b"event: goaway")
    scene.at(2000)
    told = client.sink.take()
    retry, _, rest = told.partition(b"retry: ")[2].partition(b"\n")
    assert 0 <= int(retry) <= 100
    assert b"event: bookmark" in rest


@pytest.mark.parametrize("settings", [{"overlap_ms": 0}, {"overlap_ms": 2000}])
def test_a_poll_is_answered_at_once_and_so_is_everybody_without_an_overlap(settings: dict[str, int]) -> None:
    scene = Scene(**settings)
    poll = scene.client(LINES["json"], together=True, quiet=True)
    scene.overlap.send_away(poll.subscriber)
    assert poll.story() == ["goaway"]
    assert scene.ended(poll) is GOING_AWAY
    client = scene.client()
    scene.overlap.send_away(client.subscriber)
    assert client.story() == ["bookmark", "goaway"]
    assert (scene.ended(client) is GOING_AWAY) == (settings["overlap_ms"] == 0)
