"""The oracle is believed only because each of its rules is seen to catch what it is for."""

import json

import pytest

from tests.support.client import Ask, Watch
from tests.support.oracle import Connection, History, Report, judge
from tests.support.oracle_log import Record, TruthLog
from tests.support.recording import Frame, Recording

TRUTH = TruthLog(
    [
        Record(0, 0, "items/a", 1),
        Record(0, 1, "items/b", 1),
        Record(0, 2, "items/a", 2),
        Record(0, 3, "items/b", deleted=True),
        Record(0, 4, "items/a", 3),
        Record(1, 0, "items/c", None),
        Record(1, 1, "items/c", {"n": 2}),
    ]
)
EVERYTHING = Ask((Watch("items"),))
ONE = Ask((Watch("items", "a"),))


def cursor(zero: int, one: int) -> str:
    return json.dumps({"0": zero, "1": one})


def positions(text: str) -> dict[int, int]:
    return {int(partition): offset for partition, offset in json.loads(text).items()}


def put(resource: str, version: int, data: object) -> Frame:
    return {"event": "put", "resource": f"items/{resource}", "version": str(version), "data": data}


def delete(resource: str, version: int) -> Frame:
    return {"event": "delete", "resource": f"items/{resource}", "version": str(version)}


def synced(at: str) -> tuple[Frame, str]:
    return {"event": "synced", "cursor": at}, at


def bookmark(at: str, skipped: int = 0) -> tuple[Frame, str]:
    return {"event": "bookmark", "cursor": at, "skipped": skipped}, at


def seen(ask: Ask, *steps: Frame | tuple[Frame, str]) -> Connection:
    recording = Recording()
    for step in steps:
        if isinstance(step, tuple):
            recording.add(*step)
        else:
            recording.add(step)
    return Connection(ask, recording.entries)


def judged(mode: str, *connections: Connection, settled: bool = True) -> Report:
    return judge([History("w", mode, connections)], TRUTH, positions, settled=settled)


def rules(report: Report) -> set[str]:
    return {violation.rule for violation in report.violations}


START = (put("a", 0, 1), put("b", 1, 1), put("c", 0, None), synced(cursor(2, 1)))
LIVE = (put("a", 2, 2), delete("b", 3), put("c", 1, {"n": 2}), put("a", 4, 3), bookmark(cursor(5, 2)))


@pytest.mark.parametrize("mode", ["state", "log"])
def test_a_faithful_history_breaks_no_rule(mode: str) -> None:
    report = judged(mode, seen(EVERYTHING, *START, *LIVE))
    assert report.violations == []
    assert report.events == 7


@pytest.mark.parametrize("mode", ["state", "log"])
def test_a_resume_may_repeat_what_its_cursor_does_not_cover(mode: str) -> None:
    first = seen(EVERYTHING, *START, put("a", 2, 2), put("c", 1, {"n": 2}))
    second = seen(EVERYTHING.resume(cursor(2, 1)), *LIVE)
    assert judged(mode, first, second).violations == []


def test_counted_elision_is_no_silence() -> None:
    elided = (delete("b", 3), put("c", 1, {"n": 2}), put("a", 4, 3), bookmark(cursor(5, 2), skipped=1))
    assert judged("state", seen(EVERYTHING, *START, *elided)).violations == []


def test_uncounted_elision_is_a_silence() -> None:
    elided = (delete("b", 3), put("c", 1, {"n": 2}), put("a", 4, 3), bookmark(cursor(5, 2)))
    assert rules(judged("state", seen(EVERYTHING, *START, *elided))) == {"silence"}


def test_elision_in_log_mode_is_a_loss_even_where_it_is_counted() -> None:
    elided = (delete("b", 3), put("c", 1, {"n": 2}), put("a", 4, 3), bookmark(cursor(5, 2), skipped=1))
    assert rules(judged("log", seen(EVERYTHING, *START, *elided))) == {"loss", "silence"}


def test_a_frame_outside_the_watch_breaks_scope() -> None:
    assert rules(judged("state", seen(ONE, put("b", 1, 1)), settled=False)) == {"scope"}


def test_a_resource_that_never_was_breaks_scope() -> None:
    assert rules(judged("state", seen(EVERYTHING, put("nobody", 1, 1)), settled=False)) == {"scope"}


@pytest.mark.parametrize(
    "frame", [put("a", 0, 2), put("a", 3, 1), put("b", 3, None), delete("a", 0)], ids=["data", "version", "put", "del"]
)
def test_a_frame_that_is_not_the_record_breaks_truth(frame: Frame) -> None:
    assert rules(judged("state", seen(EVERYTHING, frame), settled=False)) == {"truth"}


def test_an_older_version_breaks_order() -> None:
    assert rules(judged("state", seen(ONE, put("a", 2, 2), put("a", 0, 1)), settled=False)) == {"order"}


def test_a_repeated_version_breaks_order() -> None:
    assert rules(judged("log", seen(ONE, put("a", 2, 2), put("a", 2, 2)), settled=False)) == {"order"}


def test_an_event_at_or_before_a_cursor_breaks_covered() -> None:
    late = (*START, put("c", 1, {"n": 2}), bookmark(cursor(5, 2), skipped=3), put("a", 4, 3))
    assert "covered" in rules(judged("state", seen(EVERYTHING, *late), settled=False))


def test_a_resume_that_repeats_what_its_cursor_covers_breaks_covered() -> None:
    first = seen(EVERYTHING, *START)
    second = seen(EVERYTHING.resume(cursor(2, 1)), put("b", 1, 1), *LIVE)
    assert rules(judged("state", first, second)) == {"covered"}


def test_a_cursor_behind_an_earlier_one_breaks_backwards() -> None:
    history = (*START, *LIVE, bookmark(cursor(4, 2)))
    assert rules(judged("state", seen(EVERYTHING, *history))) == {"backwards"}


def test_a_snapshot_without_a_resource_is_a_loss() -> None:
    history = (put("a", 0, 1), put("c", 0, None), synced(cursor(2, 1)))
    assert rules(judged("state", seen(EVERYTHING, *history), settled=False)) == {"loss"}


def test_a_snapshot_with_an_old_value_is_a_loss() -> None:
    assert rules(judged("state", seen(ONE, put("a", 0, 1), synced(cursor(3, 0))), settled=False)) == {"loss"}


def test_a_resume_without_the_delete_is_a_loss() -> None:
    first = seen(EVERYTHING, *START)
    second = seen(EVERYTHING.resume(cursor(2, 1)), put("a", 4, 3), put("c", 1, {"n": 2}), synced(cursor(5, 2)))
    assert "loss" in rules(judged("state", first, second, settled=False))


def test_a_record_missing_from_a_resume_in_log_mode_is_a_loss() -> None:
    first = seen(ONE, put("a", 0, 1), synced(cursor(2, 1)))
    second = seen(ONE.resume(cursor(2, 1)), put("a", 4, 3), synced(cursor(5, 2)))
    assert rules(judged("log", first, second)) == {"loss"}
    assert judged("state", first, second).violations == []


def test_a_reset_starts_afresh() -> None:
    first = seen(EVERYTHING, *START)
    again: tuple[Frame | tuple[Frame, str], ...] = (
        {"event": "reset", "watch": "items", "reason": "expired"},
        put("a", 4, 3),
        put("c", 1, {"n": 2}),
        synced(cursor(5, 2)),
    )
    assert judged("state", first, seen(EVERYTHING.resume(cursor(2, 1)), *again)).violations == []


def test_a_reset_without_a_whole_snapshot_is_a_loss() -> None:
    first = seen(EVERYTHING, *START, *LIVE)
    reset: Frame = {"event": "reset", "watch": "items", "reason": "expired"}
    second = seen(EVERYTHING.resume(cursor(5, 2)), reset, put("a", 4, 3), synced(cursor(5, 2)))
    assert rules(judged("state", first, second)) == {"loss", "divergence"}


def test_a_watcher_that_never_learns_the_last_write_diverges() -> None:
    report = judged("state", seen(EVERYTHING, *START, *LIVE[:3]))
    assert rules(report) == {"divergence"}
    assert "items/a" in report.violations[0].detail


def test_a_watcher_that_never_learns_of_a_delete_diverges() -> None:
    assert rules(judged("state", seen(EVERYTHING, *START, LIVE[0], *LIVE[2:4]))) == {"divergence"}


def polled(*frames: Frame, at_least: str | None = None) -> Connection:
    ask = Ask((Watch("items"),), at_least=at_least)
    return seen(ask, *frames[:-1], (frames[-1], cursor(5, 2)))


UNVERSIONED: Frame = {"event": "delete", "resource": "items/b"}
NEWEST = (put("a", 4, 3), put("c", 1, {"n": 2}))


def test_a_short_poll_may_report_an_absence_without_a_version() -> None:
    assert judged("state", polled(put("b", 1, 1), *NEWEST, UNVERSIONED)).violations == []


def test_an_absence_of_what_was_not_deleted_is_a_loss() -> None:
    gone: Frame = {"event": "delete", "resource": "items/a"}
    assert rules(judged("state", polled(*NEWEST, gone))) == {"loss", "divergence"}


def test_a_state_older_than_at_least_is_a_loss() -> None:
    stale = seen(Ask((Watch("items", "a"),), at_least=cursor(5, 2)), (put("a", 2, 2), cursor(3, 0)))
    assert rules(judged("state", stale, settled=False)) == {"loss"}


def test_a_state_newer_than_at_least_may_lack_what_was_deleted_since() -> None:
    assert judged("state", polled(*NEWEST, at_least=cursor(2, 1))).violations == []


def test_a_state_that_lacks_what_at_least_covers_is_a_loss() -> None:
    assert rules(judged("state", polled(NEWEST[0], at_least=cursor(2, 1)), settled=False)) == {"loss"}


def test_violations_name_the_watcher() -> None:
    broken = judged("state", seen(ONE, put("a", 2, 2), put("a", 0, 1)), settled=False)
    assert {violation.watcher for violation in broken.violations} == {"w"}
