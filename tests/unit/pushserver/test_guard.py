"""The guard: what a token's end and its revocation do to the connections that it let in."""

import pytest

from services.pushserver.guard import WARNED_S, Guard
from services.pushserver.wire import SSE, WS_JSON, Wire
from shared.grants import Grants
from shared.pattern import Pattern
from shared.principal import EVERYBODY, Principal
from tests.support.core_client import Client, broadcast, hub_of
from tests.support.events import put

NOW = 1_700_000_000


class Clock:
    def __init__(self) -> None:
        self.now = float(NOW)

    def __call__(self) -> float:
        return self.now


def ann(lasts_s: float, jti: str | None = None) -> Principal:
    return Principal("ann", NOW + lasts_s, Grants([("watch", Pattern.parse("*"))]), jti=jti)


class Scene:
    def __init__(self) -> None:
        self.clock = Clock()
        self.guard = Guard(self.clock)
        self.hub = hub_of()

    def client(self, principal: Principal, wire: Wire = WS_JSON["json"], *, together: bool = False) -> Client:
        client = Client(self.hub, wire, together=together, principal=principal)
        client.watch("stocks")
        client.frames()
        self.guard.enter(client.subscriber, principal)
        return client

    def at(self, second: float) -> None:
        self.clock.now = NOW + second
        self.guard.look()


@pytest.fixture
def scene() -> Scene:
    return Scene()


def reason_of(client: Client) -> str | None:
    return client.sink.closed.name if client.sink.closed else None


def test_a_websocket_is_told_a_minute_ahead_and_closed_at_the_end(scene: Scene) -> None:
    client = scene.client(ann(600))
    scene.at(600 - WARNED_S - 1)
    assert client.frames() == []
    scene.at(600 - WARNED_S)
    assert client.frames() == [{"event": "auth", "expires_in_ms": 60_000}]
    scene.at(599)
    assert client.frames() == []
    scene.at(600)
    (problem,) = client.frames()
    assert (problem["code"], problem["cursor"]) == ("token_expired", client.sink.cursor)
    assert client.sink.closed is not None
    assert client.sink.closed.code == 4401
    assert len(scene.guard) == 0


def test_a_stream_is_not_warned_and_ends_with_a_short_retry(scene: Scene) -> None:
    client = scene.client(ann(600), SSE["json"], together=True)
    scene.at(599)
    assert client.sink.written == []
    scene.at(600)
    told = b"".join(client.sink.written)
    assert told.index(b"retry: 100") < told.index(b"token_expired")
    assert reason_of(client) == "token_expired"


def test_one_that_came_with_its_last_seconds_is_told_at_once(scene: Scene) -> None:
    client = scene.client(ann(10))
    scene.at(1)
    assert client.frames() == [{"event": "auth", "expires_in_ms": 9000}]
    scene.at(10)
    assert reason_of(client) == "token_expired"


def test_a_newer_token_takes_the_place_of_the_older(scene: Scene) -> None:
    client = scene.client(ann(100))
    scene.guard.enter(client.subscriber, ann(1000))
    scene.at(999)
    assert [frame["event"] for frame in client.frames()] == ["auth"]
    assert reason_of(client) is None
    scene.at(1000)
    assert reason_of(client) == "token_expired"


def test_an_older_end_that_comes_after_a_newer_counts_too(scene: Scene) -> None:
    client = scene.client(ann(1000))
    scene.guard.enter(client.subscriber, ann(100))
    scene.at(100)
    assert reason_of(client) == "token_expired"


def test_nothing_that_waits_for_a_stalled_reader_leaves_after_its_end(scene: Scene) -> None:
    client = scene.client(ann(600))
    client.subscriber.blocked = True
    broadcast(scene.hub, put("a", 0))
    scene.at(600 - WARNED_S)
    scene.at(600)
    assert client.sink.was_cut
    assert reason_of(client) == "token_expired"
    client.frames()
    assert not client.subscriber.pump()
    assert client.sink.written == []


def test_a_second_that_was_slept_through_is_made_up_for(scene: Scene) -> None:
    clients = [scene.client(ann(lasts_s)) for lasts_s in (100, 200, 5000)]
    scene.at(4000)
    assert [reason_of(client) for client in clients] == ["token_expired", "token_expired", None]


def test_who_has_left_is_forgotten_and_holds_nothing(scene: Scene) -> None:
    client = scene.client(ann(600))
    scene.guard.leave(client.subscriber)
    scene.guard.leave(client.subscriber)
    assert len(scene.guard) == 0
    scene.at(600)
    assert reason_of(client) is None


def test_where_nobody_is_asked_nobody_is_known(scene: Scene) -> None:
    scene.client(EVERYBODY)
    assert len(scene.guard) == 0


def test_what_is_revoked_ends_and_nothing_else(scene: Scene) -> None:
    revoked, kept = scene.client(ann(600, "1")), scene.client(ann(600, "2"))
    assert scene.guard.revoke(lambda principal: principal.jti == "1") == 1
    (problem,) = revoked.frames()
    assert (problem["code"], problem["retry"]) == ("forbidden", False)
    assert revoked.sink.closed is not None
    assert (revoked.sink.closed.name, revoked.sink.closed.code) == ("revoked", 4403)
    assert reason_of(kept) is None
    broadcast(scene.hub, put("a", 0))
    assert revoked.sink.written == []
    assert kept.story() == ["a@0"]


def test_nothing_that_waits_for_a_stalled_reader_leaves_after_its_revocation(scene: Scene) -> None:
    client = scene.client(ann(600))
    client.subscriber.blocked = True
    broadcast(scene.hub, put("a", 0))
    assert scene.guard.revoke(lambda _: True) == 1
    assert client.sink.was_cut
    assert reason_of(client) == "revoked"
    client.subscriber.blocked = client.subscriber.ended
    assert not client.subscriber.pump()
    assert client.sink.written == []
    assert len(scene.guard) == 0
