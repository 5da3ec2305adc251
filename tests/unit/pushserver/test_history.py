"""The recent records of a partition, bounded by number, bytes and age."""

import gc
import weakref

from hypothesis import given
from hypothesis import strategies as st

from services.pushserver.history import History, Window
from shared.event import Event
from tests.support.events import put

PLENTY = 1 << 30


def window(*events: Event, limit: int = 1000, limit_bytes: int = PLENTY) -> Window:
    made = Window(limit, limit_bytes)
    for event in events:
        made.append(event)
    return made


@given(st.integers(0, 20), st.integers(0, 30), st.integers(0, 60), st.integers(0, 60), st.integers(1, 40))
def test_it_has_the_newest_records_and_says_from_where_on(
    limit: int, count: int, start: int, stop: int, most: int
) -> None:
    events = [put("a", 2 * at) for at in range(count)]
    kept = events[max(0, count - limit) :]
    made = window(*events, limit=limit)
    assert made.events(start, stop, most) == [event for event in kept if start <= event.offset < stop][:most]
    assert len(made) == len(kept)
    assert made.floor == (events[count - limit - 1].offset + 1 if count > limit else 0)


def test_bytes_bound_it_too() -> None:
    made = window(*(put("a", at, b"x" * 1000) for at in range(10)), limit_bytes=4000)
    assert [event.offset for event in made.events(0, 100, 100)] == [7, 8, 9]
    assert made.floor == 7


def test_one_record_that_is_too_large_leaves_nothing_but_the_floor() -> None:
    made = window(put("a", 0), put("a", 1, b"x" * 5000), limit_bytes=4000)
    assert (len(made), made.floor) == (0, 2)


def test_what_was_logged_before_a_time_goes() -> None:
    made = window(*(put("a", at, logged_ms=at * 10) for at in range(10)))
    made.expire(45)
    assert (made.floor, len(made)) == (5, 5)


def test_a_record_that_has_left_is_not_held() -> None:
    class Watched(Event):
        __slots__ = ("__weakref__",)

    first = Watched("a", 0, 0, 0, b"x" * 1_000_000)
    gone = weakref.ref(first)
    made = window(first, limit=1)
    del first
    assert gone() is not None
    made.append(put("a", 1))
    gc.collect()
    assert gone() is None, "a dropped record of a megabyte stays until a thousand more are dropped"


def test_a_long_life_leaves_no_empty_places() -> None:
    made = window(*(put("a", at) for at in range(5000)), limit=10)
    assert len(made._events) < 2000  # noqa: SLF001 -- memory has no other witness
    assert [event.offset for event in made.events(0, 9999, 3)] == [4990, 4991, 4992]


def test_a_time_is_a_position_unless_it_was_forgotten() -> None:
    made = window(*(put("a", at, logged_ms=at * 10) for at in range(10)), limit=4)
    assert made.position_since(70) == 7
    assert made.position_since(71) == 8
    assert made.position_since(51) == 6
    assert made.position_since(50) == 0, "one that was logged then is forgotten: this leads to `expired`"
    assert made.floor > 0
    assert made.position_since(1000) == 10


def test_partitions_share_the_bytes_and_keep_their_own_floors() -> None:
    history = History(2, records=3, size_bytes=8000, age_ms=100)
    history.apply([put("a", at, b"x" * 1000, partition=0, logged_ms=at) for at in range(5)])
    history.apply([put("b", 0, partition=1, logged_ms=200)])
    assert history.floors == [2, 0]
    history.expire(103)
    assert history.floors == [3, 0]
    assert history.positions_since(150) == {0: 5, 1: 0}
