"""What the oracle says of faults is believed only because each rule is seen to catch what it is for."""

import json

import pytest

from tests.support.client import Ask, Watch
from tests.support.oracle import Connection, History, converged, judge
from tests.support.oracle_calm import judge_repeats, judge_resets
from tests.support.oracle_epochs import by_epoch
from tests.support.oracle_gap import longest_gap
from tests.support.oracle_log import Record, TruthLog
from tests.support.oracle_writes import Written, judge_writes
from tests.support.recording import Entry, Frame

ALL = Ask((Watch("items"),))
OLD, NEW = b"old", b"new"


def cursor(epoch: bytes, position: int) -> str:
    return json.dumps([epoch.decode(), position])


def epoch_of(text: str) -> bytes:
    return str(json.loads(text)[0]).encode()


def positions_of(text: str) -> dict[int, int]:
    return {0: json.loads(text)[1]}


def put(version: int, data: object, resource: str = "a") -> Frame:
    return {"event": "put", "resource": f"items/{resource}", "version": str(version), "data": data}


def synced(epoch: bytes, position: int) -> Frame:
    return {"event": "synced", "cursor": cursor(epoch, position)}


RESET: Frame = {"event": "reset", "watch": "items", "reason": "epoch"}
EXPIRED: Frame = {"event": "problem", "code": "expired", "cursor": cursor(NEW, 0)}


def connection(*frames: Frame, ask: Ask = ALL) -> Connection:
    return Connection(ask, [Entry(frame, frame.get("cursor"), float(at)) for at, frame in enumerate(frames)])


def history(*connections: Connection, mode: str = "state") -> History:
    return History("w", mode, connections)


def written(data: object, version: int | None, outcome: str = "written", at_s: float = 0.0) -> Written:
    return Written("items/a", data, at_s, at_s, outcome, version)


def test_what_follows_a_reset_belongs_to_the_new_epoch() -> None:
    seen = history(connection(put(7, 1), synced(OLD, 8), put(8, 2), RESET, put(0, 3), synced(NEW, 1)))
    found = by_epoch([seen], epoch_of)
    versions = {
        epoch: [entry.frame["version"] for each in histories for one in each.connections for entry in one.entries
                if entry.frame and "version" in entry.frame]
        for epoch, histories in found.items()
    }  # fmt: skip
    assert versions == {OLD: ["7", "8"], NEW: ["0"]}


def test_each_epoch_is_judged_by_its_own_log() -> None:
    seen = history(connection(put(7, 1), synced(OLD, 8), RESET, put(0, 3), synced(NEW, 1)))
    logs = {OLD: TruthLog([Record(0, 7, "items/a", 1)]), NEW: TruthLog([Record(0, 0, "items/a", 3)])}
    for epoch, histories in by_epoch([seen], epoch_of).items():
        assert not judge(histories, logs[epoch], positions_of, settled=True).violations
        other = logs[NEW if epoch == OLD else OLD]
        assert {each.rule for each in judge(histories, other, positions_of, settled=False).violations} >= {"truth"}


def test_a_piece_without_a_cursor_belongs_to_the_next_epoch_that_is_known() -> None:
    seen = history(connection(put(0, 3)), connection(put(0, 3), synced(NEW, 1)))
    assert list(by_epoch([seen], epoch_of)) == [NEW]


def test_a_key_that_moved_to_another_partition_is_newer_by_its_time() -> None:
    truth = TruthLog([Record(0, 50, "items/a", 1, logged_ms=10), Record(1, 0, "items/a", 2, logged_ms=20)])
    newest = truth.newest("items/a")
    assert newest is not None
    assert newest.data == 2
    forward, backward = connection(put(50, 1), put(0, 2)), connection(put(0, 2), put(50, 1))
    assert not judge([history(forward)], truth, positions_of, settled=True).violations
    assert {each.rule for each in judge([history(backward)], truth, positions_of, settled=True).violations} == {"order"}


def test_two_deletes_of_one_version_are_told_apart_by_their_time() -> None:
    truth = TruthLog([
        Record(0, 1, "items/a", deleted=True, logged_ms=10),
        Record(0, 5, "items/a", deleted=True, logged_ms=20),
        Record(1, 1, "items/a", deleted=True, logged_ms=30),
    ])  # fmt: skip
    deleted: Frame = {"event": "delete", "resource": "items/a", "version": "1"}
    for frame, partition in (
        ({**deleted, "time": "1970-01-01T00:00:00.010Z"}, 0),
        ({**deleted, "time": "1970-01-01T00:00:00.030Z"}, 1),
        (deleted, 1),
    ):
        told = truth.told_by(frame)
        assert told is not None
        assert told.partition == partition


def test_a_watcher_has_converged_when_it_holds_the_newest_of_everything() -> None:
    truth = TruthLog([Record(0, 0, "items/a", 1), Record(0, 1, "items/a", 2), Record(0, 2, "items/b", 1)])
    assert not converged(history(connection(put(0, 1), put(2, 1, "b"))), truth)
    assert not converged(history(connection(put(1, 2))), truth)
    assert converged(history(connection(put(1, 2), put(2, 1, "b"))), truth)


@pytest.mark.parametrize(
    ("seen", "mode", "expected"),
    [
        ((synced(OLD, 0), RESET), "state", 0),
        ((synced(OLD, 0),), "state", 1),
        ((synced(OLD, 0), RESET, RESET), "state", 1),
        ((synced(OLD, 0), EXPIRED), "state", 0),
        ((synced(OLD, 0), EXPIRED), "log", 0),
        ((synced(OLD, 0), RESET), "log", 1),
    ],
)
def test_another_number_of_resets_is_a_violation(seen: tuple[Frame, ...], mode: str, expected: int) -> None:
    assert [each.rule for each in judge_resets([history(connection(*seen), mode=mode)], expected)] == ["reset"]


@pytest.mark.parametrize(("seen", "mode"), [(RESET, "state"), (EXPIRED, "log")])
def test_as_many_resets_as_epochs_are_none(seen: Frame, mode: str) -> None:
    assert not list(judge_resets([history(connection(synced(OLD, 0), seen), mode=mode)], 1))


def test_a_second_repeat_of_a_resource_is_a_violation() -> None:
    first = connection(put(0, 1), put(1, 2), put(2, 1, "b"))
    resumed = ALL.resume(cursor(OLD, 0))
    once = connection(put(1, 2), put(2, 1, "b"), put(3, 3), ask=resumed)
    twice = connection(put(0, 1), put(1, 2), ask=resumed)
    assert not list(judge_repeats([history(first, once)]))
    assert [each.rule for each in judge_repeats([history(first, twice)])] == ["repeat"]


LOG = [Record(0, 0, "items/a", {"n": 0}), Record(0, 1, "items/a", {"n": 1}), Record(0, 2, "items/a", deleted=True)]


def test_acknowledged_writes_are_there_and_unanswered_ones_may_be() -> None:
    writes = [written({"n": 0}, 0), written({"n": 1}, None, "unknown"), written(None, 2)]
    lost = written({"n": 9}, None, "unknown")
    assert not list(judge_writes([*writes, lost], LOG))


@pytest.mark.parametrize(
    ("writes", "log", "rule"),
    [
        ([written({"n": 0}, 0), written({"n": 1}, 1)], LOG[:1], "acknowledged"),
        ([written({"n": 0}, 5)], LOG[:1], "acknowledged"),
        ([written(None, 2)], [], "acknowledged"),
        ([written({"n": 0}, None, "not_written")], LOG[:1], "refused"),
        ([written({"n": 0}, 0)], [LOG[0], LOG[0]._replace(offset=1)], "twice"),
        ([], LOG[:1], "invented"),
    ],
)
def test_a_log_that_holds_anything_else_is_a_violation(writes: list[Written], log: list[Record], rule: str) -> None:
    assert [each.rule for each in judge_writes(writes, log)] == [rule]


def test_a_gap_is_a_silence_over_connections() -> None:
    first = Connection(ALL, [Entry(synced(OLD, 0), cursor(OLD, 0), 1.0), Entry(None, cursor(OLD, 0), 2.0)])
    second = Connection(ALL.resume(cursor(OLD, 0)), [Entry(None, cursor(OLD, 0), 7.5)])
    assert longest_gap([history(first, second)], []) == (5.5, "w", "silence")


def test_a_gap_is_news_that_is_late_while_heartbeats_come() -> None:
    beats = [Entry(None, cursor(OLD, 0), float(at)) for at in range(10)]
    news = [Entry(synced(OLD, 0), None, 0.0), *beats, Entry(put(1, 2), None, 9.5)]
    # The first write is elided: the second one tells of it.
    writes = [written({"n": 0}, 0, at_s=2.0), written({"n": 1}, 1, at_s=4.0)]
    assert longest_gap([history(Connection(ALL, news))], writes) == (7.5, "w", "late")


def test_a_snapshot_tells_of_every_write_before_it() -> None:
    beats = [Entry(None, cursor(OLD, 0), float(at)) for at in range(12)]
    news = [
        Entry(synced(OLD, 0), None, 0.0),
        *beats[:4],
        Entry(RESET, None, 3.5),
        *beats[4:],
        Entry(put(9, 2), None, 12),
    ]
    writes = [written({"n": 0}, 0, at_s=2.0), written({"n": 1}, 9, at_s=11.5)]
    assert longest_gap([history(Connection(ALL, news))], writes) == (1.5, "w", "late")
