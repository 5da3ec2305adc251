"""The newest event of each resource, and the deletes that are remembered for a while."""

from hypothesis import given
from hypothesis import strategies as st

from services.pushserver.table import RESOURCE_BYTES, Table
from shared.event import Event
from tests.support.events import EPOCH, delete, put

WRITES = st.lists(st.tuples(st.sampled_from("abcdef"), st.booleans()), max_size=60)


def table(*events: Event, partitions: int = 2, held: bool = True) -> Table:
    made = Table(EPOCH, partitions, delete_retention_ms=1000, held=held)
    made.apply(events, {event.partition: event.offset + 1 for event in events})
    return made


@given(WRITES, st.integers(1, 60))
def test_it_holds_the_newest_event_of_each_resource(writes: list[tuple[str, bool]], at_once: int) -> None:
    events = [
        Event(name, 0, at, at, b"%d" % at if is_put else None, type="t") for at, (name, is_put) in enumerate(writes)
    ]
    held, newest = table(), {event.id: event for event in events}
    for start in range(0, len(events), at_once):
        batch = events[start : start + at_once]
        assert held.apply(batch, {0: start + len(batch)}) == batch
    assert {name: held.get(name) for name in newest} == newest
    assert held.logs[0].events(0, 100, 100) == sorted(newest.values(), key=lambda event: event.offset)
    assert held.resources == sum(event.data is not None for event in newest.values())
    assert held.size_bytes == sum(RESOURCE_BYTES + len(event.data or b"") for event in newest.values())


def test_positions_never_go_back() -> None:
    held = table(put("a", 5))
    held.apply([], {0: 3, 1: 7})
    assert held.positions == (6, 7)


def test_an_event_that_is_read_again_is_no_news() -> None:
    held = table(put("a", 5, b"new"))
    assert held.apply([put("a", 4, b"old"), put("a", 5, b"new")], {}) == []
    assert held.get("a") is not None
    assert held.resources == 1


def test_a_key_that_moved_to_another_partition_is_judged_by_time() -> None:
    held = table(put("a", 90, b"old", partition=0, logged_ms=10))
    news = held.apply([put("a", 2, b"new", partition=1, logged_ms=20)], {1: 3})
    assert [event.data for event in news] == [b"new"]
    assert held.apply([put("a", 91, b"late", partition=0, logged_ms=15)], {0: 92}) == []
    assert held.logs[0].events(0, 100, 10) == []
    assert held.resources == 1


def test_a_delete_is_known_until_kafka_may_forget_it() -> None:
    held = table(put("a", 0), delete("a", 1, logged_ms=100), put("b", 2))
    assert held.expire_tombstones(1099, 10) == 0
    tombstone = held.get("a")
    assert tombstone is not None
    assert tombstone.data is None
    assert held.floors == [0, 0]
    assert held.expire_tombstones(1101, 10) == 1
    assert held.get("a") is None
    assert held.floors == [2, 0]
    assert held.size_bytes == RESOURCE_BYTES + 1


def test_only_so_many_deletes_are_forgotten_at_once() -> None:
    held = table(*(delete(f"{at}", at) for at in range(10)))
    assert held.expire_tombstones(5000, 4) == 4
    assert held.floors[0] == 4
    assert [event.offset for event in held.logs[0].events(0, 100, 100)] == [4, 5, 6, 7, 8, 9]


def test_a_resource_that_came_back_survives_its_old_delete() -> None:
    held = table(delete("a", 0), put("a", 1))
    held.expire_tombstones(5000, 10)
    assert held.get("a") is not None
    assert held.floors == [0, 0]


def test_a_delete_that_was_overtaken_costs_nothing() -> None:
    held = table(delete("keep", 0, logged_ms=10_000))
    for at in range(1, 1001, 2):
        held.apply([delete("a", at), put("a", at + 1)], {0: at + 2})
    assert len(held._tombstones) == 1  # noqa: SLF001 -- memory has no other witness


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 1), st.integers(0, 9)), max_size=40))
def test_a_batch_is_as_good_as_its_events_one_by_one(writes: list[tuple[str, int, int]]) -> None:
    def events() -> list[Event]:
        return [put(name, at, partition=partition, logged_ms=ms) for at, (name, partition, ms) in enumerate(writes)]

    at_once, one_by_one = table(), table()
    news = at_once.apply(events(), {})
    told = [event.offset for event in events() if one_by_one.apply([event], {})]
    assert [event.offset for event in news] == told
    for partition in range(2):
        logs = at_once.logs[partition], one_by_one.logs[partition]
        assert len({tuple(event.offset for event in log.events(0, 100, 100)) for log in logs}) == 1
    assert (at_once.resources, at_once.size_bytes) == (one_by_one.resources, one_by_one.size_bytes)


def test_a_floor_only_rises() -> None:
    held = table()
    held.raise_floor(1, 9)
    held.raise_floor(1, 4)
    assert held.floors == [0, 9]


def test_a_collection_that_is_not_held_keeps_positions_only() -> None:
    held = table(held=False)
    events = [put("a", 0), put("a", 0)]
    assert held.apply(events, {0: 1}) == events
    assert held.get("a") is None
    assert (held.positions, held.size_bytes) == ((1, 0), 0)


def test_a_time_is_a_position_in_each_partition() -> None:
    held = table(put("a", 3, logged_ms=10), put("b", 4, logged_ms=20), put("c", 8, partition=1, logged_ms=5))
    assert held.positions_since(15) == {0: 4, 1: 9}
    assert held.positions_since(0) == {0: 0, 1: 0}
