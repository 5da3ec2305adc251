"""The log of a partition against a plain dict."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.pushserver import log
from services.pushserver.log import PartitionLog
from shared.event import Event
from tests.support.events import put

STEPS = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 3)), max_size=150)


@pytest.fixture(autouse=True, scope="module")
def small_chunks() -> object:
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(log, "CHUNK", 8)
        yield


def filled(steps: list[tuple[int, int]]) -> tuple[PartitionLog, dict[int, Event]]:
    """A log in which a key that is set again loses its old event, and what it should hold."""
    partition, offset = PartitionLog(), 0
    model: dict[int, Event] = {}
    newest: dict[int, int] = {}
    for key, gap in steps:
        offset += gap
        if key in newest:
            partition.remove(newest[key])
            del model[newest[key]]
        newest[key] = offset
        model[offset] = put(str(key), offset, logged_ms=offset * 10)
        partition.extend([model[offset]])
    return partition, model


@given(STEPS, st.integers(0, 300), st.integers(0, 300), st.integers(1, 60))
def test_it_has_the_events_between_two_offsets_in_order(
    steps: list[tuple[int, int]], start: int, stop: int, limit: int
) -> None:
    partition, model = filled(steps)
    expected = [model[offset] for offset in sorted(model) if start <= offset < stop]
    assert partition.events(start, stop, limit) == expected[:limit]
    assert len(partition) == len(model)


@given(STEPS, st.integers(1, 5))
def test_a_walk_in_pieces_sees_everything_once(steps: list[tuple[int, int]], limit: int) -> None:
    partition, model = filled(steps)
    seen, at = [], 0
    while piece := partition.events(at, 1000, limit):
        seen += piece
        at = piece[-1].offset + 1
    assert seen == [model[offset] for offset in sorted(model)]


@given(STEPS, st.integers(0, 3000))
def test_a_time_leads_to_the_position_after_the_last_event_before_it(
    steps: list[tuple[int, int]], logged_ms: int
) -> None:
    partition, model = filled(steps)
    before = [offset for offset in model if model[offset].logged_ms < logged_ms]
    assert partition.position_since(logged_ms) == max(before, default=-1) + 1


@settings(max_examples=30)
@given(st.lists(st.integers(0, 60), min_size=200, max_size=600))
def test_what_was_replaced_is_given_back(keys: list[int]) -> None:
    partition, model = filled([(key, 1) for key in keys])
    places = sum(len(chunk.events) for chunk in partition._chunks)  # noqa: SLF001 -- memory has no other witness
    assert places <= 2 * len(model) + log.CHUNK
    assert len(partition._chunks) <= 4 * len(model) / log.CHUNK + 2  # noqa: SLF001 -- see above


def test_a_log_that_is_emptied_holds_nothing() -> None:
    partition, model = filled([(key, 1) for key in range(41)])
    for offset in model:
        partition.remove(offset)
    assert partition.events(0, 1000, 1000) == []
    assert not partition._chunks  # noqa: SLF001 -- memory has no other witness
    partition.extend([put("a", 1000)])
    assert [event.offset for event in partition.events(0, 2000, 10)] == [1000]


@given(STEPS, st.lists(st.integers(0, 40), max_size=40))
def test_a_run_is_added_as_its_events_one_by_one_would_be(steps: list[tuple[int, int]], gaps: list[int]) -> None:
    run = [put(f"r{at}", 1000 + at * 50 + gap, logged_ms=at) for at, gap in enumerate(gaps)]
    at_once, model = filled(steps)
    one_by_one, _ = filled(steps)
    at_once.extend(run)
    for event in run:
        one_by_one.extend([event])
    assert at_once.events(0, 10_000, 1000) == [*(model[offset] for offset in sorted(model)), *run]
    assert len(at_once) == len(model) + len(run)
    for logged_ms in range(0, 3000, 100):
        assert at_once.position_since(logged_ms) == one_by_one.position_since(logged_ms)
    assert all(len(chunk.events) <= log.CHUNK for chunk in at_once._chunks)  # noqa: SLF001 -- a walk's step is bounded by it


@given(STEPS)
def test_the_last_offset_is_that_of_the_newest_event(steps: list[tuple[int, int]]) -> None:
    partition, model = filled(steps)
    assert partition.last_offset == max(model, default=-1)
