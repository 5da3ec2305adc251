"""Events and records: the same both ways, and as CloudEvents has it."""

import gc
import sys
from typing import Any

import msgpack
import orjson
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event, to_binary_event
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

import shared.event
from shared.event import Event, decode_record, encode_headers, format_time, parse_time_ms

NOW_MS = 1_795_514_400_123
TEXT = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40)


def decode(key: bytes | None, value: bytes | None, headers: Any = (), **options: Any) -> Event | str:
    given_options: dict[str, Any] = {
        "partition": 3,
        "offset": 42,
        "timestamp_ms": NOW_MS,
        "value_format": "json",
        "max_bytes": 1000,
    }
    return decode_record(key, value, headers, **given_options | options)


def event(key: bytes | None, value: bytes | None, headers: Any = (), **options: Any) -> Event:
    decoded = decode(key, value, headers, **options)
    assert isinstance(decoded, Event)
    return decoded


@given(TEXT, TEXT, TEXT, st.integers(0, 4_102_444_800_000))
def test_what_is_encoded_is_decoded(type_: str, source: str, event_id: str, now_ms: int) -> None:
    headers = encode_headers("a/b", now_ms, {"type": type_, "source": source, "id": event_id}, collection="stocks")
    decoded = event(b"a/b", b'{"price":1}', headers, timestamp_ms=now_ms)
    assert (decoded.type, decoded.source, decoded.event_id) == (type_, source, event_id)
    assert (decoded.id, decoded.partition, decoded.offset, decoded.data) == ("a/b", 3, 42, b'{"price":1}')
    assert (decoded.occurred_ms, decoded.logged_ms) == (now_ms, now_ms)


@given(st.integers(0, 6), st.integers(0, 6), st.integers(0, 7))
def test_headers_are_read_in_any_order_and_however_many_there_are(one: int, other: int, count: int) -> None:
    ours = encode_headers("a", NOW_MS - 7, {"type": "t", "source": "/s", "id": "e"}, collection="c")
    ours[one], ours[other] = ours[other], ours[one]
    given_headers = ours[:count]
    named = {name for name, _ in given_headers}
    decoded = event(b"a", b"1", given_headers)
    assert decoded.type == ("t" if "ce_type" in named else None)
    assert decoded.source == ("/s" if "ce_source" in named else None)
    assert decoded.event_id == ("e" if "ce_id" in named else None)
    assert decoded.occurred_ms == (NOW_MS - 7 if "ce_time" in named else NOW_MS)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T10:00:00.123Z",
        "2026-11-23T10:00:00.124Z",
        "2026-11-23T10:00:00.999999Z",
        "2026-11-23T100000.00123Z",
        "2026-11-23T100000.00124Z",
        "2026-11-23T12:00:00.1+02:00",
        "2026-11-23T10:00:00Z",
        "2026-11-23T10:00:00.12Z",
        "2026-13-23T10:00:00.123Z",
    ],
)
def test_a_time_is_the_same_whether_or_not_its_second_was_seen_before(text: str) -> None:
    expected = parse_time_ms(text)
    for _ in range(2):
        decoded = event(b"a", b"1", [("ce_time", text.encode())])
        assert decoded.occurred_ms == (NOW_MS if expected is None else expected)


def test_what_repeats_is_kept_once_and_only_so_many_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.event._MAX_NAMES", 3)
    monkeypatch.setattr("shared.event._MAX_SECONDS", 3)
    for number in range(20):
        time = format_time(NOW_MS + 1000 * number).encode()
        headers = [("ce_type", b"t%d" % number), ("ce_source", b"/s"), ("ce_time", time)]
        one, other = event(b"a", b"1", headers), event(b"b", b"2", headers)
        assert one.type is other.type
        assert one.source is other.source
    assert len(shared.event._names) <= 3  # noqa: SLF001 -- memory has no other witness
    assert len(shared.event._seconds) <= 3  # noqa: SLF001 -- the same


def test_an_event_of_ours_takes_no_more_than_its_budget() -> None:
    """Less what every resource has, whoever holds it: its id, its value and two numbers."""
    one, other = (
        event(b"a", b"1", encode_headers("a", NOW_MS - 3, {"id": f"{number:016}"}, collection="c"))
        for number in range(2)
    )
    shared = {id(value) for value in gc.get_referents(other)}
    own = [value for value in gc.get_referents(one) if id(value) not in shared]
    extra = [value for value in own if value not in (one.id, one.data, one.offset, one.logged_ms)]
    assert len(extra) == 1, "the bytes of its event id"
    assert sys.getsizeof(one) + sum(map(sys.getsizeof, extra)) <= 96 + 49


def test_the_cloudevents_package_reads_our_records() -> None:
    headers = dict(encode_headers("AAPL", NOW_MS, {"type": "price.changed", "tenant": "t1"}, collection="stocks"))
    read = from_binary_event(KafkaMessage(headers=headers, key=b"AAPL", value=b'{"price":191.2}'))
    assert read.get_specversion() == "1.0"
    assert (read.get_type(), read.get_source(), read.get_subject()) == ("price.changed", "/v1/stocks", "AAPL")
    assert read.get_datacontenttype() == "application/json"
    assert read.get_extension("tenant") == "t1"
    assert read.get_data() == {"price": 191.2}
    time = read.get_time()
    assert time is not None
    assert int(time.timestamp() * 1000) == NOW_MS
    assert read.get_id()


def test_we_read_the_records_of_the_cloudevents_package() -> None:
    attributes = {
        "id": "e-1",
        "type": "price.changed",
        "source": "/exchange",
        "specversion": "1.0",
        "time": parse_and_back(NOW_MS - 5000),
        "datacontenttype": "application/json",
    }
    message = to_binary_event(CloudEvent(attributes=attributes, data={"price": 1}))
    decoded = event(b"AAPL", message.value, list(message.headers.items()))
    assert (decoded.type, decoded.source, decoded.event_id) == ("price.changed", "/exchange", "e-1")
    assert (decoded.occurred_ms, decoded.logged_ms) == (NOW_MS - 5000, NOW_MS)
    assert decoded.data is not None
    assert orjson.loads(decoded.data) == {"price": 1}


def parse_and_back(ms: int) -> Any:
    from datetime import UTC, datetime  # noqa: PLC0415 -- only the oracle wants a datetime

    return datetime.fromtimestamp(ms / 1000, UTC)


def test_each_event_has_an_id_of_its_own() -> None:
    ids = {dict(encode_headers("a", NOW_MS, {}, collection="c"))["ce_id"] for _ in range(100)}
    assert len(ids) == 100


def test_the_trace_is_a_header_of_its_own() -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    headers = dict(encode_headers("a", NOW_MS, {"traceparent": trace}, collection="c"))
    assert headers["traceparent"] == trace.encode()
    assert "ce_traceparent" not in headers


def test_a_plain_record_is_an_event_without_attributes() -> None:
    plain = event(b"AAPL", b'{"price": 1}')
    assert (plain.type, plain.source, plain.event_id, plain.occurred_ms) == (None, None, None, NOW_MS)
    assert plain.data == b'{"price": 1}'


def test_a_tombstone_is_a_delete_and_json_null_is_a_value() -> None:
    assert event(b"a", None).data is None
    assert event(b"a", b"null").data == b"null"


def test_msgpack_becomes_json_text() -> None:
    assert event(b"a", msgpack.packb({"b": [1, None]}), value_format="msgpack").data == b'{"b":[1,null]}'


@pytest.mark.parametrize(
    ("key", "value", "options", "reason"),
    [
        (None, b"1", {}, "key"),
        (b"", b"1", {}, "key"),
        (b"\xff", b"1", {}, "key"),
        (b"a\0", b"1", {}, "key"),
        (b"..", None, {}, "key"),
        (b"x" * 513, b"1", {}, "key"),
        (b"a", b"1" * 1001, {}, "too_large"),
        (b"a", b"{", {}, "syntax"),
        (b"a", b"", {}, "syntax"),
        (b"a", b"NaN", {}, "syntax"),
        (b"a", b"[" * 200 + b"]" * 200, {}, "depth"),
        (b"a", msgpack.packb(float("inf")), {"value_format": "msgpack"}, "number"),
    ],
)
def test_a_malformed_record_has_a_reason(key: bytes | None, value: bytes | None, options: Any, reason: str) -> None:
    assert decode(key, value, **options) == reason


@pytest.mark.parametrize(
    "headers",
    [
        [("ce_type", b"\xff")],
        [("ce_type", None)],
        [("ce_type", b"x" * 1025)],
        [("ce_time", b"yesterday")],
        [("other", b"\xff")],
    ],
)
def test_a_header_that_cannot_be_read_is_left_out(headers: Any) -> None:
    decoded = event(b"a", b"1", headers)
    assert (decoded.type, decoded.occurred_ms) == (None, NOW_MS)


@given(st.integers(0, 253_402_300_799_999))
def test_a_time_is_written_and_read(ms: int) -> None:
    assert parse_time_ms(format_time(ms)) == ms


@pytest.mark.parametrize("ms", [-1, -(10**18), 10**18, 253_402_300_800_000])
def test_a_time_that_no_calendar_has_is_still_text(ms: int) -> None:
    assert format_time(ms)[-1] == "Z"


@pytest.mark.parametrize("text", ["", "x", "2026-13-01T00:00:00Z", "12:00", "2026-11-23T10:00:00+99:00"])
def test_a_text_that_is_no_time_is_none(text: str) -> None:
    assert parse_time_ms(text) is None


def test_a_time_without_a_zone_is_utc() -> None:
    assert (
        parse_time_ms("2026-11-23T10:00:00")
        == parse_time_ms("2026-11-23T10:00:00Z")
        == parse_time_ms("2026-11-23T12:00:00+02:00")
    )
