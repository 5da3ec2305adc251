"""What each operation of a client means, and what becomes of one that makes no sense."""

from typing import Any

import pytest

from services.pushserver.session import MAX_MISTAKES, CatchUp, Publish, Session
from shared.cursor import decode_cursor, encode_cursor
from shared.problem import Problem
from shared.resource import Watch
from tests.support.core_client import Client, hub_of
from tests.support.events import put


@pytest.fixture
def client() -> Client:
    return Client(hub_of(put("a", 0), put("b", 1)))


def test_a_subscribe_is_acknowledged_and_then_told(client: Client) -> None:
    client.session.on_op({"op": "subscribe", "watch": "stocks/a", "ref": "mine"})
    ack, snapshot, synced = client.frames()
    assert ack == {"event": "ack", "watch": "stocks/a", "ref": "mine"}
    assert (snapshot["event"], snapshot["version"]) == ("put", "0")
    assert (synced["event"], synced["watch"], synced["resumed"], synced["ref"]) == ("synced", "stocks/a", False, "mine")


def test_without_a_ref_there_is_no_ack(client: Client) -> None:
    client.session.on_op({"op": "subscribe", "watch": "stocks"})
    assert client.story() == ["a@0", "b@1", "synced"]


def test_a_watch_that_is_open_is_acknowledged_and_told_nothing_again(client: Client) -> None:
    client.watch("stocks")
    client.frames()
    assert client.op(op="subscribe", watch="stocks", ref=1) == {"event": "ack", "watch": "stocks", "ref": 1}
    assert len(client.subscriber.subscriptions) == 1


@pytest.mark.parametrize(
    ("members", "story"),
    [
        ({"watch": "stocks", "prefix": "b"}, ["b@1", "synced"]),
        ({"watch": "stocks", "prefix": ""}, ["a@0", "b@1", "synced"]),
        ({"watch": "stocks?prefix=b"}, ["b@1", "synced"]),
        ({"watch": "stocks", "snapshot": False}, ["synced"]),
        ({"watch": "stocks", "mode": "log"}, ["a@0", "b@1", "synced"]),
        ({"watch": "stocks", "mode": None, "prefix": None, "cursor": None, "since": None}, ["a@0", "b@1", "synced"]),
        ({"watch": "stocks", "since": "2020-01-01T00:00:00Z"}, ["synced"]),
    ],
)
def test_the_members_of_subscribe_are_heeded(client: Client, members: dict[str, Any], story: list[str]) -> None:
    client.session.on_op({"op": "subscribe", **members})
    assert client.story() == story


def test_a_cursor_is_resumed_from(client: Client) -> None:
    client.watch("stocks")
    cursor = client.frames()[-1]["cursor"]
    again = Client(client.hub)
    again.session.on_op({"op": "subscribe", "watch": "stocks", "cursor": cursor})
    (synced,) = again.frames()
    assert synced["resumed"]


def test_a_cursor_ahead_of_this_server_is_handed_back(client: Client) -> None:
    client.watch("stocks")
    (segment,) = decode_cursor(client.frames()[-1]["cursor"])
    ahead = encode_cursor([segment._replace(positions={0: 9})])
    waits = client.session.on_op({"op": "subscribe", "watch": "stocks/a", "cursor": ahead, "ref": 5})
    assert isinstance(waits, CatchUp)
    assert waits.segment.positions == {0: 9}
    assert waits.request.ref == 5
    assert client.frames() == []
    client.session.subscribe(waits.request, settled=True)
    client.subscriber.pump()
    assert client.story() == ["ack", "reset", "a@0", "synced"]


def test_a_watch_can_be_ended(client: Client) -> None:
    client.watch("stocks/a")
    client.watch("stocks?prefix=b")
    answer = client.op(op="unsubscribe", watch="stocks/a", ref=2)
    assert answer == {"event": "ack", "watch": "stocks/a", "ref": 2}
    assert client.op(op="unsubscribe", watch="stocks", prefix="b", ref=3)["event"] == "ack"
    assert not client.subscriber.subscriptions
    assert client.hub.channel("stocks").audience.size == 0


def test_a_ping_is_answered(client: Client) -> None:
    assert client.op(op="ping", ref=7) == {"event": "pong", "ref": 7}
    assert client.op(op="ping") == {"event": "pong"}


def test_a_publish_is_handed_back_to_be_done(client: Client) -> None:
    done = client.session.on_op({"op": "publish", "resource": "stocks/a", "data": None, "ref": 1})
    assert done == Publish(Watch("stocks", "a"), None, delete=False, ref=1)
    done = client.session.on_op({"op": "publish", "resource": "stocks/a", "delete": True})
    assert done == Publish(Watch("stocks", "a"), None, delete=True, ref=None)


@pytest.mark.parametrize(
    "op",
    [
        None,
        [],
        "subscribe",
        {},
        {"op": 1},
        {"op": ["subscribe"]},
        {"op": "dance"},
        {"op": "subscribe"},
        {"op": "subscribe", "watch": 5},
        {"op": "subscribe", "watch": "stocks/"},
        {"op": "subscribe", "watch": "stocks/."},
        {"op": "subscribe", "watch": "watch/a"},
        {"op": "subscribe", "watch": "stocks", "prefix": 5},
        {"op": "subscribe", "watch": "stocks/a", "prefix": "a"},
        {"op": "subscribe", "watch": "stocks", "mode": "fast"},
        {"op": "subscribe", "watch": "stocks", "mode": ["state"]},
        {"op": "subscribe", "watch": "stocks", "snapshot": 1},
        {"op": "subscribe", "watch": "stocks", "cursor": 5},
        {"op": "subscribe", "watch": "stocks", "cursor": "nonsense"},
        {"op": "subscribe", "watch": "stocks", "since": "yesterday"},
        {"op": "subscribe", "watch": "stocks", "since": 5},
        {"op": "subscribe", "watch": "stocks", "limit": 5},
        {"op": "subscribe", "watch": "stocks", "ref": {}},
        {"op": "subscribe", "watch": "stocks", "ref": "x" * 65},
        {"op": "subscribe", "watch": "stocks", b"cursor": "c"},
        {"op": "unsubscribe", "watch": "stocks"},
        {"op": "unsubscribe", "watch": "stocks", "mode": "state"},
        {"op": "publish", "resource": "stocks/a"},
        {"op": "publish", "resource": "stocks", "data": 1},
        {"op": "publish", "resource": "stocks/a", "data": 1, "delete": True},
        {"op": "publish", "resource": "stocks/a", "data": 1, "delete": "no"},
        {"op": "publish", "resource": "stocks/a", "data": 1, "version": 5},
        {"op": "ping", "watch": "stocks"},
        {"op": "auth", "token": "t", "kind": "jwt"},
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_done(client: Client, op: object) -> None:
    assert client.session.on_op(op) is None
    (problem,) = client.frames()
    assert (problem["event"], problem["code"], problem["retry"]) == ("problem", "invalid", False)
    assert not client.subscriber.subscriptions
    assert client.hub.counters.refused == {"invalid": 1}


def test_every_member_that_the_protocol_names_is_allowed() -> None:
    assert set(Session.OPERATIONS) == {"subscribe", "unsubscribe", "publish", "auth", "ping"}


@pytest.mark.parametrize("op", [{"op": "dance"}, {}, {"op": "ping", "x": 1}, {"op": "subscribe", "watch": "nowhere"}])
def test_a_refusal_has_the_ref_of_its_operation(client: Client, op: dict[str, Any]) -> None:
    assert client.op(**op, ref="odd")["ref"] == "odd"


def test_a_refused_subscribe_names_its_watch(client: Client) -> None:
    problem = client.op(op="subscribe", watch="nowhere/a")
    assert (problem["code"], problem["watch"]) == ("not_found", "nowhere/a")


def test_a_client_that_persists_is_closed(client: Client) -> None:
    for _ in range(MAX_MISTAKES):
        assert client.sink.closed is None
        client.session.on_op({"op": "dance"})
    assert client.sink.closed is not None
    assert client.sink.closed.code == 4400
    assert client.story() == ["problem"] * MAX_MISTAKES
    client.session.on_op({"op": "ping"})
    assert client.frames() == []


def test_a_refusal_that_is_no_mistake_closes_nothing(client: Client) -> None:
    for _ in range(2 * MAX_MISTAKES):
        client.session.on_op({"op": "subscribe", "watch": "nowhere"})
    assert client.sink.closed is None
    assert client.hub.counters.refused == {"not_found": 2 * MAX_MISTAKES}


def test_a_connection_has_so_many_watches_and_no_more() -> None:
    client = Client(hub_of(), max_watches=2)
    client.watch("stocks/a")
    client.watch("stocks/b")
    assert client.op(op="subscribe", watch="stocks/c")["code"] == "too_many_watches"
    assert client.op(op="subscribe", watch="stocks/a", ref=1)["event"] == "ack"


def test_watches_in_state_mode_may_overlap(client: Client) -> None:
    client.watch("stocks")
    client.watch("stocks/a")
    client.watch("stocks?prefix=a")
    assert len(client.subscriber.subscriptions) == 3


@pytest.mark.parametrize(("first", "second"), [("log", "state"), ("state", "log"), ("log", "log")])
def test_a_watch_in_log_mode_overlaps_no_other(client: Client, first: Any, second: Any) -> None:
    client.watch("stocks?prefix=a", first)
    with pytest.raises(Problem, match="overlaps"):
        client.watch("stocks/ab", second)
    client.watch("stocks/b", second)


def test_watches_of_what_is_not_held_do_not_overlap_either() -> None:
    client = Client(hub_of(state="none"))
    client.watch("stocks", snapshot=False)
    with pytest.raises(Problem, match="overlaps"):
        client.watch("stocks/a", snapshot=False)


def test_a_mode_that_the_collection_does_not_have_is_refused() -> None:
    client = Client(hub_of(modes=["state"]))
    assert client.op(op="subscribe", watch="stocks", mode="log")["code"] == "invalid"
