from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cli.watching.arrival import Arrival
from cli.watching.event_stream import EventStream

STREAM = (
    b'retry: 2000\n\nevent: put\ndata: {"a":1}\n\n: a comment\n\nid: c1\n\n'
    b'event: synced\r\nid: c2\r\ndata: {"b":\r\ndata:  2}\r\n\r\ndata: \xc3\xa9\nid\n\n'
)
ARRIVALS = [Arrival('{"a":1}'), Arrival("", "c1"), Arrival('{"b":\n 2}', "c2"), Arrival("é", "")]


def test_messages_comments_and_bare_ids_are_told_apart() -> None:
    assert EventStream().feed(STREAM) == ARRIVALS


@given(cuts=st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_it_does_not_matter_where_the_bytes_are_cut(cuts: list[int]) -> None:
    stream = EventStream()
    places = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[start:end] for start, end in pairwise(places)]
    assert [arrival for piece in pieces for arrival in stream.feed(piece)] == ARRIVALS


def test_a_message_is_told_only_when_it_is_complete() -> None:
    stream = EventStream()
    assert stream.feed(b"data: x\n") == []
    assert stream.feed(b"\n") == [Arrival("x")]


@given(noise=st.binary())
def test_no_bytes_break_it(noise: bytes) -> None:
    EventStream().feed(noise)
