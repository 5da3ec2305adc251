from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchroute_client import WatchError
from watchroute_client.transports import event_stream
from watchroute_client.transports.event_stream import EventStream, Message

STREAM = (
    b'retry: 2000\n\nevent: put\ndata: {"a":1}\n\n: a comment\n\nid: c1\n\n'
    b'event: synced\r\nid: c2\r\ndata: {"b":\r\ndata:  2}\r\n\r\ndata: \xc3\xa9\nid\n\n'
)
MESSAGES = [
    Message("", None, 2000),
    Message('{"a":1}'),
    Message("", "c1"),
    Message('{"b":\n 2}', "c2"),
    Message("é", ""),
]


def test_messages_comments_bare_ids_and_waits_are_told_apart() -> None:
    assert EventStream().feed(STREAM) == MESSAGES


@given(cuts=st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_it_does_not_matter_where_the_bytes_are_cut(cuts: list[int]) -> None:
    stream = EventStream()
    places = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[start:end] for start, end in pairwise(places)]
    assert [message for piece in pieces for message in stream.feed(piece)] == MESSAGES


def test_a_message_is_told_only_when_it_is_complete() -> None:
    stream = EventStream()
    assert stream.feed(b"data: x\n") == []
    assert stream.feed(b"\n") == [Message("x")]


@pytest.mark.parametrize("text", ["", "-1", "soon", "³"])
def test_a_wait_that_is_no_number_is_none(text: str) -> None:
    assert EventStream().feed(f"retry: {text}\n\n".encode()) == []


@given(noise=st.binary())
def test_no_bytes_break_it(noise: bytes) -> None:
    EventStream().feed(noise)


def test_a_line_without_an_end_is_not_held_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "MAX_LINE_BYTES", 100)
    stream = EventStream()
    stream.feed(b"x" * 100)
    with pytest.raises(WatchError):
        stream.feed(b"x")
