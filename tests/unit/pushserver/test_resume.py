"""What a cursor proves, as a table: kind of cursor and mode of watch, and how the watch begins."""

from typing import Any

import pytest

from services.pushserver.channel import Channel
from services.pushserver.resume import Ahead, Begin, begin, find_segment, is_ahead
from services.pushserver.subscription import WatchRequest
from shared.catalog import Mode
from shared.cursor import Segment, collection_tag, encode_cursor, scope_tag
from shared.problem import Problem
from shared.resource import Watch
from tests.support.events import EPOCH, channel, delete, put

ALL = Watch("stocks")
A, B = Watch("stocks", "a"), Watch("stocks", "b")
B_TO = Watch("stocks", prefix="b")


def served(**settings: Any) -> Channel:
    """Partition 0: a@0 (gone from the history), a@1, b@2, a deleted and expired x@3, c@4; partition 1: d@0."""
    made = channel(
        put("a", 0),
        put("a", 1),
        put("b", 2),
        delete("x", 3),
        put("c", 4),
        put("d", 0, partition=1),
        **{"partitions": 2, "delete_retention_s": 1, "history_records": 4, **settings},
    )
    made.table.expire_tombstones(10_000, 10)
    return made


def cursor(positions: dict[int, int], *watches: Watch, epoch: bytes = EPOCH, of: str = "stocks") -> str:
    scopes = tuple(sorted(scope_tag(watch.label) for watch in watches)) or None
    return encode_cursor([Segment(collection_tag(of), epoch, scopes, positions)])


NEWEST = {0: 5, 1: 1}
CURSORS = {
    "newest": cursor(NEWEST),
    "before c": cursor({0: 4, 1: 1}),
    "before the expired delete": cursor({0: 3, 1: 1}),
    "before the history": cursor({0: 0, 1: 0}),
    "one partition only": cursor({0: 4}),
    "ahead": cursor({0: 6, 1: 1}),
    "a partition too many": cursor({0: 5, 1: 1, 2: 0}),
    "another epoch": cursor(NEWEST, epoch=b"other"),
    "another collection": cursor(NEWEST, of="orders"),
    "of a": cursor(NEWEST, A),
    "of b": cursor(NEWEST, B),
    "of several": cursor(NEWEST, B, A),
    "of several others": cursor(NEWEST, B, Watch("stocks", "c")),
}


def decided(request: WatchRequest, made: Channel | None = None, *, settled: bool = True) -> str:
    """One word for how a watch begins, with the offsets that it is told."""
    try:
        decision = begin(made or served(), request, settled=settled)
    except Problem as problem:
        return problem.code
    if isinstance(decision, Ahead):
        return "ahead"
    word = decision.reset or ("resumed" if decision.resumed else "begun")
    return f"{word} {told(decision)}" if decision.walk else word


def told(decision: Begin) -> list[str]:
    walk = decision.walk
    assert walk is not None
    events = []
    while not walk.done:
        events += [f"{event.id}@{event.offset}" for event in walk.pull()]
    return events


SNAPSHOT = "['a@1', 'b@2', 'c@4', 'd@0']"


@pytest.mark.parametrize(
    ("kind", "mode", "expected"),
    [
        ("newest", "state", "resumed []"),
        ("newest", "log", "resumed []"),
        ("before c", "state", "resumed ['c@4']"),
        ("before c", "log", "resumed ['c@4']"),
        ("before the expired delete", "state", f"expired {SNAPSHOT}"),
        ("before the expired delete", "log", "resumed ['x@3', 'c@4']"),
        ("before the history", "state", f"expired {SNAPSHOT}"),
        ("before the history", "log", "expired"),
        ("one partition only", "state", "resumed ['c@4', 'd@0']"),
        ("one partition only", "log", "resumed ['c@4', 'd@0']"),
        ("ahead", "state", f"cursor {SNAPSHOT}"),
        ("ahead", "log", "expired"),
        ("a partition too many", "state", f"cursor {SNAPSHOT}"),
        ("another epoch", "state", f"epoch {SNAPSHOT}"),
        ("another epoch", "log", "expired"),
        ("another collection", "state", f"cursor {SNAPSHOT}"),
        ("another collection", "log", "expired"),
        ("of a", "state", f"cursor {SNAPSHOT}"),
        ("of a", "log", "expired"),
        ("of several", "state", f"cursor {SNAPSHOT}"),
    ],
)
def test_a_watch_of_the_collection_begins(kind: str, mode: Mode, expected: str) -> None:
    assert decided(WatchRequest(ALL, mode, cursor=CURSORS[kind])) == expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("newest", "resumed []"),
        ("before the history", "resumed ['a@1']"),
        ("of a", "resumed []"),
        ("of several", "resumed []"),
        ("of several others", "cursor ['a@1']"),
        ("of b", "cursor ['a@1']"),
    ],
)
def test_a_watch_of_a_known_resource_begins(kind: str, expected: str) -> None:
    assert decided(WatchRequest(A, cursor=CURSORS[kind])) == expected


def test_a_resource_that_is_not_known_may_have_been_deleted_meanwhile() -> None:
    x = Watch("stocks", "x")
    assert decided(WatchRequest(x, cursor=CURSORS["before the expired delete"])) == "expired []"
    assert decided(WatchRequest(x, cursor=CURSORS["before c"])) == "resumed []"


def test_a_prefix_is_no_other_prefix() -> None:
    narrower = cursor({0: 2, 1: 1}, Watch("stocks", prefix="ba"))
    same = cursor({0: 4, 1: 1}, B_TO)
    assert decided(WatchRequest(B_TO, cursor=narrower)) == "cursor ['b@2']"
    assert decided(WatchRequest(B_TO, cursor=same)) == "resumed []"


@pytest.mark.parametrize("kind", ["ahead", "a partition too many", "another epoch"])
def test_what_kafka_may_know_is_waited_for(kind: str) -> None:
    assert decided(WatchRequest(ALL, cursor=CURSORS[kind]), settled=False) == "ahead"


@pytest.mark.parametrize("kind", ["newest", "before c", "of a", "another collection"])
def test_what_kafka_can_not_change_is_decided_at_once(kind: str) -> None:
    assert decided(WatchRequest(ALL, cursor=CURSORS[kind]), settled=False) != "ahead"


def test_an_expired_cursor_comes_with_one_that_is_good() -> None:
    made = served()
    with pytest.raises(Problem) as caught:
        begin(made, WatchRequest(ALL, "log", cursor=CURSORS["before the history"]), settled=True)
    again = caught.value.members["cursor"]
    assert decided(WatchRequest(ALL, "log", cursor=again), made) == "resumed ['a@1', 'b@2', 'x@3', 'c@4', 'd@0']"


def test_without_a_cursor_a_watch_begins_with_the_state_or_with_nothing() -> None:
    assert decided(WatchRequest(ALL)) == f"begun {SNAPSHOT}"
    assert decided(WatchRequest(ALL, "log")) == f"begun {SNAPSHOT}"
    assert decided(WatchRequest(ALL, snapshot=False)) == "begun"
    assert decided(WatchRequest(ALL, snapshot=False, cursor=CURSORS["another epoch"])) == "epoch"


def test_a_time_is_a_position() -> None:
    made = channel(put("a", 0, logged_ms=10), put("b", 1, logged_ms=20), put("b", 2, logged_ms=30))
    assert decided(WatchRequest(ALL, since_ms=20), made) == "resumed ['b@2']"
    assert decided(WatchRequest(ALL, "log", since_ms=20), made) == "resumed ['b@1', 'b@2']"
    assert decided(WatchRequest(ALL, "log", since_ms=31), made) == "resumed []"


def test_a_time_before_what_is_kept_is_too_old() -> None:
    made = channel(*(put("a", at, logged_ms=at) for at in range(9)), history_records=3)
    assert decided(WatchRequest(ALL, "log", since_ms=2), made) == "expired"
    assert decided(WatchRequest(ALL, "log", since_ms=7), made) == "resumed ['a@7', 'a@8']"


def test_what_is_not_held_has_no_snapshot_and_resumes_from_its_history() -> None:
    made = served(state="none")
    assert decided(WatchRequest(ALL), made) == "invalid"
    assert decided(WatchRequest(ALL, snapshot=False), made) == "begun"
    assert decided(WatchRequest(ALL, cursor=CURSORS["before c"]), made) == "resumed ['c@4']"
    assert decided(WatchRequest(ALL, cursor=CURSORS["before the history"]), made) == "expired"


def test_a_cursor_that_can_not_be_read_is_the_clients_mistake() -> None:
    assert decided(WatchRequest(ALL, cursor="nonsense!")) == "invalid"


def test_the_position_after_the_last_record_is_not_ahead() -> None:
    made = served()
    segment = find_segment(made, CURSORS["newest"])
    assert segment is not None
    assert not is_ahead(made, segment)
    assert is_ahead(made, segment._replace(positions={1: 2}))
