"""Walks: what a watch is told before it is live, in pieces, while the world goes on."""

import pytest

from services.pushserver import walk as walk_module
from services.pushserver.channel import Channel
from services.pushserver.walk import Walk
from shared.event import Event
from shared.resource import Watch
from tests.support.events import channel, delete, put

ALL = Watch("stocks")


@pytest.fixture(autouse=True)
def small_pulls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk_module, "SCAN", 2)


def pulled(walk: Walk) -> list[int]:
    """The offsets of all that it tells, until it is done."""
    offsets = []
    while not walk.done:
        offsets += [event.offset for event in walk.pull()]
    return offsets


def write(served: Channel, *events: Event) -> None:
    served.apply(events, {event.partition: event.offset + 1 for event in events})


def resume(served: Channel, watch: Watch, *positions: int, from_history: bool = False) -> Walk:
    starts = dict(enumerate(positions))
    return Walk(served, watch, starts, starts, from_history=from_history)


def test_a_snapshot_has_what_exists_in_order_and_no_deletes() -> None:
    served = channel(put("a", 0), put("b", 1), delete("c", 2), put("a", 3), put("d", 0, partition=1), partitions=2)
    assert pulled(Walk.snapshot(served, ALL)) == [1, 3, 0]


@pytest.mark.parametrize(
    ("watch", "expected"),
    [(Watch("stocks", "ab"), [1]), (Watch("stocks", prefix="a"), [0, 1]), (Watch("stocks", prefix="z"), [])],
)
def test_it_tells_what_the_watch_covers(watch: Watch, expected: list[int]) -> None:
    served = channel(put("a", 0), put("ab", 1), put("b", 2))
    assert pulled(Walk.snapshot(served, watch)) == expected


def test_a_resume_has_what_came_after_deletes_included() -> None:
    served = channel(put("a", 0), put("b", 1), delete("a", 2), put("c", 3))
    assert pulled(resume(served, ALL, 1)) == [1, 2, 3]
    assert pulled(resume(served, ALL, 2)) == [2, 3]
    assert pulled(resume(served, ALL, 4)) == []


def test_a_resume_from_the_history_has_every_record() -> None:
    served = channel(put("a", 0), put("a", 1), delete("a", 2), put("a", 3))
    assert pulled(resume(served, ALL, 1, from_history=True)) == [1, 2, 3]
    assert pulled(resume(served, Watch("stocks", "a"), 1, from_history=True)) == [1, 2, 3]


def test_what_changes_meanwhile_is_told_by_going_on() -> None:
    served = channel(put("a", 0), put("b", 1), put("c", 2))
    walk = Walk.snapshot(served, ALL)
    assert [event.offset for event in walk.pull()] == [0, 1]
    write(served, delete("a", 3), put("c", 4), put("e", 5))
    assert pulled(walk) == []
    assert walk.done
    assert not walk.current
    walk.go_on()
    assert pulled(walk) == [3, 4, 5]
    assert walk.current


def test_a_walk_of_one_resource_tells_its_delete_too() -> None:
    served = channel(put("a", 0))
    walk = Walk.snapshot(served, Watch("stocks", "a"))
    assert pulled(walk) == [0]
    write(served, put("b", 1), delete("a", 2))
    walk.go_on()
    assert pulled(walk) == [2]


def test_one_pull_is_bounded_by_bytes() -> None:
    served = channel(*(put(f"{at}", at, b"x" * 1000) for at in range(4)))
    walk = Walk.snapshot(served, ALL)
    assert [event.offset for event in walk.pull(500)] == [0]
    assert [event.offset for event in walk.pull(1001)] == [1, 2]
    assert pulled(walk) == [3]


def test_one_pull_is_bounded_by_looks() -> None:
    served = channel(*(put(f"{at}", at) for at in range(5)))
    walk = Walk.snapshot(served, Watch("stocks", prefix="z"))
    assert walk.pull() == []
    assert (walk.looked, walk.done) == (2, False)


def test_it_is_broken_when_the_history_dropped_what_it_still_had_to_tell() -> None:
    served = channel(*(put("a", at) for at in range(4)), history_records=4)
    walk = resume(served, ALL, 0, from_history=True)
    walk.pull()
    write(served, put("a", 4), put("a", 5))
    assert not walk.broken, "what was dropped has been told"
    write(served, put("a", 6))
    assert walk.broken


def test_it_is_broken_when_the_history_dropped_what_came_after_a_partition_was_done() -> None:
    served = channel(put("a", 0), *(put("b", at, partition=1) for at in range(4)), partitions=2, history_records=4)
    walk = resume(served, ALL, 0, 0, from_history=True)
    assert [event.offset for event in walk.pull()] == [0]
    write(served, *(put("a", at) for at in range(1, 7)))
    assert walk.broken


def test_it_is_broken_when_a_delete_that_came_meanwhile_has_expired() -> None:
    served = channel(put("a", 0), put("b", 1), put("c", 2), delete_retention_s=1)
    walk = Walk.snapshot(served, ALL)
    walk.pull()
    write(served, delete("a", 3))
    assert not walk.broken
    served.table.expire_tombstones(1_000_000, 10)
    assert walk.broken


def test_a_snapshot_misses_no_delete_that_was_there_before() -> None:
    served = channel(put("a", 0), delete("b", 1), put("c", 2), delete_retention_s=1)
    walk = Walk.snapshot(served, ALL)
    served.table.expire_tombstones(1_000_000, 10)
    assert not walk.broken


def test_a_walk_of_one_resource_minds_no_other_delete() -> None:
    served = channel(put("a", 0), delete_retention_s=1)
    walk = Walk.snapshot(served, Watch("stocks", "a"))
    write(served, delete("b", 1))
    served.table.expire_tombstones(1_000_000, 10)
    assert not walk.broken
    write(served, delete("a", 2))
    served.table.expire_tombstones(1_000_000, 10)
    assert walk.broken


def test_walks_that_began_in_different_places_soon_pull_the_same_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk_module, "SCAN", 1024)
    served = channel(*(put(f"r{at}", at) for at in range(500)))

    def runs(start: int) -> list[tuple[Event, ...]]:
        walk, pulled = Walk(served, Watch("stocks"), {0: start}, {0: start}), []
        while not walk.done:
            pulled.append(tuple(walk.pull()))
        return pulled

    early, late = runs(3), runs(130)
    assert sum(map(len, early)) == 497
    assert sum(map(len, late)) == 370
    assert late[1:] == early[3:]
    assert max(map(len, early)) <= 2 * walk_module.RUN
