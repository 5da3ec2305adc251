"""Frames that are made once and shared, and the marks of progress between them."""

from collections.abc import Sequence

from services.pushserver.change import MARK_EVERY, Change, Delivery
from services.pushserver.wire import LINES, SSE, SSE_ONE, WS_JSON
from shared.cursor import decode_cursor, scope_tag
from shared.event import Event
from tests.support.core_output import read_sse
from tests.support.events import channel, put

STOCKS = channel(put("a", 4), partitions=2)


def delivery(*events: Event, after: Sequence[int] = (50, 9)) -> Delivery:
    return Delivery([Change(STOCKS, event) for event in events], (1, 2), after, str)


def test_a_frame_is_made_once_for_each_wire() -> None:
    change = Change(STOCKS, put("a", 4))
    assert change.frame(WS_JSON["json"]) is change.frame(WS_JSON["json"])
    assert change.frame(WS_JSON["json"]) != change.frame(LINES["json"])


def test_a_frame_of_one_resource_has_the_cursor_that_it_leads_to() -> None:
    (said,) = read_sse(Change(STOCKS, put("a", 4)).frame(SSE_ONE["json"]))
    assert said.cursor is not None
    (segment,) = decode_cursor(said.cursor)
    assert (segment.scopes, segment.positions) == ((scope_tag("stocks/a"),), {0: 5})


def test_a_large_value_counts_with_its_size() -> None:
    small, large = Change(STOCKS, put("a", 4)), Change(STOCKS, put("a", 4, b"1" * 5000))
    assert large.size - small.size == 4999


def test_a_batch_is_joined_once_for_each_wire() -> None:
    batch = delivery(put("a", 4), put("b", 5))
    payload = batch.payload(LINES["json"])
    assert payload == b"".join(change.frame(LINES["json"]) for change in batch.changes)
    assert batch.payload(LINES["json"]) is payload


def test_a_single_change_is_not_copied() -> None:
    batch = delivery(put("a", 4))
    assert batch.payload(LINES["json"]) is batch.changes[0].frame(LINES["json"])


def test_a_stream_is_marked_every_so_often_and_at_the_end() -> None:
    events = [put(f"{at}", at) for at in range(10, 10 + MARK_EVERY)]
    said = list(read_sse(delivery(*events, put("z", 5, partition=1)).payload(SSE["json"])))
    marks = {at: each.cursor for at, each in enumerate(said) if each.frame is None}
    assert marks == {MARK_EVERY: f"[{10 + MARK_EVERY}, 2]", MARK_EVERY + 2: "(50, 9)"}


def test_the_last_mark_covers_the_batch_and_comes_once() -> None:
    events = [put(f"{at}", at) for at in range(MARK_EVERY)]
    said = list(read_sse(delivery(*events).payload(SSE["json"])))
    assert [each.cursor for each in said if each.frame is None] == ["(50, 9)"]
