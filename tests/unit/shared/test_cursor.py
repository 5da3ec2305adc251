"""Cursors: what is written is read, and nothing else is."""

import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.cursor import (
    EPOCH_BYTES,
    MAX_CURSOR_CHARS,
    MAX_PARTITIONS,
    CursorUnreadable,
    Segment,
    collection_tag,
    decode_cursor,
    encode_cursor,
    epoch_of,
    scope_tag,
)

OFFSETS = st.integers(0, (1 << 63) - 1)
POSITIONS = st.one_of(
    st.lists(OFFSETS, max_size=20).map(lambda offsets: dict(enumerate(offsets))),
    st.dictionaries(st.integers(0, MAX_PARTITIONS - 1), OFFSETS, max_size=20),
)
SEGMENTS = st.lists(
    st.builds(
        Segment,
        tag=st.binary(min_size=3, max_size=3),
        epoch=st.binary(min_size=EPOCH_BYTES, max_size=EPOCH_BYTES),
        scopes=st.none() | st.sets(st.integers(0, 0xFFFF), min_size=1, max_size=9).map(sorted).map(tuple),
        positions=POSITIONS,
    ),
    max_size=5,
    unique_by=lambda segment: segment.tag,
)


def as_cursor(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@given(SEGMENTS)
def test_what_is_written_is_read_back(segments: list[Segment]) -> None:
    text = encode_cursor(segments)
    assert decode_cursor(text) == segments
    assert encode_cursor(decode_cursor(text)) == text
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@given(
    st.text(max_size=200)
    | st.binary(max_size=100).map(as_cursor)
    | st.binary(max_size=100).map(lambda b: as_cursor(b"\1" + b))
)
def test_any_text_is_read_or_refused_in_one_way(text: str) -> None:
    try:
        segments = decode_cursor(text)
    except CursorUnreadable:
        return
    for segment in segments:
        assert len(segment.positions) <= MAX_PARTITIONS
        assert all(0 <= offset < 1 << 63 for offset in segment.positions.values())
        assert all(0 <= partition < MAX_PARTITIONS for partition in segment.positions)


@given(SEGMENTS.filter(bool), st.data())
def test_a_cursor_cut_short_is_refused_or_says_less(segments: list[Segment], data: st.DataObject) -> None:
    whole = base64.urlsafe_b64decode(encode_cursor(segments) + "==")
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    try:
        fewer = decode_cursor(as_cursor(cut))
    except CursorUnreadable:
        return
    assert fewer == segments[: len(fewer)]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"\2",
        b"\1" + bytes(8) + b"\4\0",
        b"\1" + bytes(8) + b"\0" + b"\xff" * 10,
        b"\1" + bytes(8) + b"\0" + b"\x81\x20",
        b"\1" + bytes(8) + b"\2\2\1\0\0\0",
        b"\1" + bytes(8) + b"\2\1\x80\x20\0",
        b"\1" + bytes(8) + b"\2\1\0" + b"\xff" * 9 + b"\1",
        b"\1" + bytes(8) + b"\0\1\1",
        b"\1" + (bytes(8) + b"\0\0") * 2,
    ],
    ids=[
        "nothing",
        "version-0",
        "version-2",
        "unknown-flag",
        "endless-number",
        "too-many-partitions",
        "a-partition-twice",
        "a-partition-too-large",
        "an-offset-too-large",
        "a-negative-offset",
        "a-collection-twice",
    ],
)
def test_a_hostile_cursor_is_refused(data: bytes) -> None:
    with pytest.raises(CursorUnreadable):
        decode_cursor(as_cursor(data))


@pytest.mark.parametrize(
    "text", ["AQ==", "AQ=", "AR", "A", "AQ\n", " AQ", "A+/=", "ä", "\ud800", "A" * (MAX_CURSOR_CHARS + 1)]
)
def test_a_cursor_is_written_in_one_way_only(text: str) -> None:
    with pytest.raises(CursorUnreadable):
        decode_cursor(text)


def test_the_longest_hostile_cursor_costs_little() -> None:
    claims_much = as_cursor((b"\1" + b"abc" + bytes(5) + b"\0\x80\x20" + b"\x80" * 6000)[: MAX_CURSOR_CHARS * 3 // 4])
    assert len(claims_much) <= MAX_CURSOR_CHARS
    began = time.perf_counter()
    with pytest.raises(CursorUnreadable):
        decode_cursor(claims_much)
    assert time.perf_counter() - began < 0.05


def test_twelve_partitions_take_eighty_characters_and_one_takes_twenty_six() -> None:
    tag, epoch = collection_tag("stocks"), epoch_of("cluster", "stocks")
    close = {partition: 1_000_000 + 3000 * (partition % 4) for partition in range(12)}
    assert len(encode_cursor([Segment(tag, epoch, None, close)])) <= 80
    assert len(encode_cursor([Segment(tag, epoch, (scope_tag("stocks/AAPL"),), {3: 1_000_000})])) <= 26


@given(st.text())
def test_a_scope_has_a_number_of_two_bytes(label: str) -> None:
    assert 0 <= scope_tag(label) <= 0xFFFF


def test_an_epoch_depends_on_every_part_of_the_identity() -> None:
    identities = [
        ("c", "t", b"1", 4, 0),
        ("d", "t", b"1", 4, 0),
        ("c", "t", b"2", 4, 0),
        ("c", "t", b"1", 5, 0),
        ("c", "t", b"1", 4, 1),
    ]
    assert len({epoch_of(*identity) for identity in identities}) == len(identities)
