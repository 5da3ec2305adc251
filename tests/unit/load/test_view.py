"""What a watcher makes of frames: deliveries, failures, and the cursor to come back with."""

from typing import Any

from load.users.account import Account
from load.users.specimen import Stamp
from load.users.view import MOST_LOST, Finding, View


def put(version: int, seq: int, sent_ns: int = 5) -> dict[str, Any]:
    data = Stamp("p", seq, sent_ns)._asdict()
    return {"event": "put", "resource": "fruit/apple", "version": str(version), "data": data}


def synced(cursor: str | None = "c") -> dict[str, Any]:
    return {"event": "synced", "cursor": cursor}


def view() -> View:
    begun = View(Account(every=True))
    begun.connect()
    return begun


def told(watch: View, *frames: dict[str, Any]) -> list[Finding]:
    return [finding for frame in frames for finding in watch.on_frame(frame)]


def test_what_comes_after_synced_is_a_delivery() -> None:
    assert told(view(), put(1, 1), synced(), put(2, 2, sent_ns=7)) == [Finding("deliver", sent_ns=7)]


def test_what_comes_before_synced_to_somebody_with_a_cursor_is_catching_up() -> None:
    watch = view()
    told(watch, put(1, 1), synced())
    watch.connect()
    assert told(watch, put(2, 2, sent_ns=7)) == [Finding("catch up", sent_ns=7)]


def test_a_gap_is_counted_as_often_as_changes_are_missing_but_not_for_ever() -> None:
    assert told(view(), synced(), put(1, 1), put(2, 4))[1] == Finding("lost", 2)
    assert told(view(), synced(), put(1, 1), put(2, 10**9))[1] == Finding("lost", MOST_LOST)


def test_steps_back_and_repetitions_are_found() -> None:
    assert told(view(), put(5, 1), put(4, 1), put(5, 1)) == [Finding("regress"), Finding("duplicate")]


def test_the_cursor_is_the_newest_that_was_given() -> None:
    watch = view()
    told(watch, synced("a"), {"event": "bookmark", "cursor": "b"}, {"event": "bookmark", "cursor": None})
    assert watch.cursor == "b"


def test_whoever_is_sent_away_knows_when_to_come_back() -> None:
    watch = view()
    assert told(watch, {"event": "goaway", "cursor": "g", "reconnect_in_ms": 4200}) == [Finding("goaway")]
    assert (watch.cursor, watch.hint_ms) == ("g", 4200)


def test_after_a_reset_nothing_of_before_holds() -> None:
    watch = view()
    reset = {"event": "reset", "reason": "epoch"}
    assert told(watch, put(7, 7), synced(), reset, put(1, 1), synced("n")) == [Finding("reset epoch")]
    assert watch.cursor == "n"


def test_a_watch_that_has_expired_goes_on_from_the_oldest_cursor() -> None:
    watch = view()
    found = told(watch, put(7, 7), synced(), {"event": "problem", "code": "expired", "cursor": "old"})
    assert found == [Finding("expired")]
    watch.connect()
    assert (watch.cursor, told(watch, put(9, 20))) == ("old", [Finding("catch up", sent_ns=5)])


def test_a_problem_is_counted_by_its_code() -> None:
    watch = view()
    assert told(watch, {"event": "problem", "code": "slow", "cursor": "s"}) == [Finding("problem slow")]
    assert watch.cursor == "s"


def test_a_value_of_others_is_no_delivery() -> None:
    foreign = {"event": "put", "resource": "fruit/apple", "version": "3", "data": {"price": 1}}
    assert told(view(), synced(), foreign, {"event": "delete", "resource": "fruit/apple", "version": "4"}) == []


def test_whoever_drops_its_cursor_begins_anew() -> None:
    watch = view()
    told(watch, put(7, 7), synced())
    watch.drop_cursor()
    watch.connect()
    assert told(watch, put(3, 9)) == []
