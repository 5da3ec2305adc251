"""Bytes on the wire, read back by websockets, httptools, cloudevents, msgpack, and the rules of the HTML standard."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import httptools
import msgpack
import orjson
import pytest
from cloudevents.core.formats.json import JSONFormat
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from services.pushserver.wire import (
    FORMATS,
    LINES,
    PACKED,
    SSE,
    SSE_HTTP10,
    SSE_ONE,
    WS_JSON,
    WS_MSGPACK,
    http_chunk,
    sse_message,
    ws_frame,
)
from shared.event import Event

LABELS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=40)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
JSON_WIRES = (WS_JSON, SSE, SSE_ONE, SSE_HTTP10, LINES)


class Message(NamedTuple):
    """What an `EventSource` dispatches, with the last event id that it has by then."""

    type: str
    data: str
    last_event_id: str


def event_source(stream: bytes) -> tuple[list[Message], str]:
    """The messages of a stream, and the last event id at its end (WHATWG HTML, section 9.2.6)."""
    messages, last_event_id = [], ""
    kind, data = "", ""
    for line in stream.decode().replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if not line:
            if data:
                messages.append(Message(kind or "message", data.removesuffix("\n"), last_event_id))
            kind, data = "", ""
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            kind = value
        elif name == "data":
            data += value + "\n"
        elif name == "id" and "\0" not in value:
            last_event_id = value
    return messages, last_event_id


def web_socket_frame(data: bytes) -> Frame:
    """The one frame in `data`, read as a client reads it."""
    reader = StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    frame = run(Frame.parse(reader.read_exact, mask=False, max_size=None))
    assert run(reader.at_eof())
    assert isinstance(frame, Frame)
    return frame


def run(steps: Iterator[Any]) -> Any:
    """The result of a generator that needs to wait for nothing."""
    try:
        next(iter(steps))
    except StopIteration as done:
        return done.value
    raise AssertionError("it waits for more bytes")


def event(data: bytes | None = b'{"price":1}', **more: Any) -> Event:
    return Event("AAPL", 3, 1042, 1_700_000_000_123, data, **more)


def body(data: bytes) -> bytes:
    """The body of a response in chunks."""

    class Body:
        def __init__(self) -> None:
            self.pieces: list[bytes] = []
            self.complete = False

        def on_body(self, piece: bytes) -> None:
            self.pieces.append(piece)

        def on_message_complete(self) -> None:
            self.complete = True

    read = Body()
    parser = httptools.HttpResponseParser(read)
    parser.feed_data(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + data + b"0\r\n\r\n")
    assert read.complete
    return b"".join(read.pieces)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 0xFFFF, 0x10000, 70_000])
def test_a_web_socket_frame_is_read_by_websockets(size: int) -> None:
    frame = web_socket_frame(ws_frame(0x81, b"x" * size))
    assert (frame.opcode, frame.fin, len(frame.data)) == (Opcode.TEXT, True, size)


@given(st.lists(st.binary(min_size=1, max_size=5000), max_size=5))
def test_chunks_are_read_by_httptools(pieces: list[bytes]) -> None:
    assert body(b"".join(map(http_chunk, pieces))) == b"".join(pieces)


@given(LABELS, JSON, st.integers(0, 2**62), st.none() | st.text(max_size=20))
def test_every_wire_says_the_same(resource_id: str, value: Any, offset: int, kind: str | None) -> None:
    data = orjson.dumps(value)
    label = f"stocks/{resource_id}"
    made = Event(resource_id, 0, offset, 1_700_000_000_123, data, type=kind)
    expected = {
        "event": "put",
        "resource": label,
        "version": str(offset),
        "time": "2023-11-14T22:13:20.123Z",
        **({} if kind is None else {"type": kind}),
        "data": orjson.loads(data),
    }
    frame = web_socket_frame(WS_JSON["json"].data(label, made))
    assert (frame.opcode, orjson.loads(frame.data)) == (Opcode.TEXT, expected)
    ((message,), last_id) = event_source(body(SSE["json"].data(label, made)))
    assert (message.type, orjson.loads(message.data), last_id) == ("put", expected, "")
    (line,) = LINES["json"].data(label, made).splitlines()
    assert orjson.loads(line) == expected
    frame = web_socket_frame(WS_MSGPACK["json"].data(label, made))
    packed = msgpack.unpackb(frame.data)
    assert frame.opcode is Opcode.BINARY
    if packed.pop("encoding", None) == "json":
        packed["data"] = orjson.loads(packed["data"])
    assert packed == expected


def test_the_data_is_the_text_of_the_record() -> None:
    data = b'{"price": 1.50, "big": 123456789012345678901234567890, "a":1e2}'
    for wires in JSON_WIRES:
        for form in FORMATS:
            assert data in wires[form].data("stocks/AAPL", event(data))


def test_a_delete_has_no_data() -> None:
    frame = orjson.loads(LINES["json"].data("stocks/AAPL", event(None)))
    assert frame == {
        "event": "delete",
        "resource": "stocks/AAPL",
        "version": "1042",
        "time": "2023-11-14T22:13:20.123Z",
    }
    assert event_source(SSE_HTTP10["json"].data("stocks/AAPL", event(None)))[0][0].type == "delete"
    assert "data" not in msgpack.unpackb(PACKED["compact"].data("stocks/AAPL", event(None)))


def test_json_null_is_data() -> None:
    for form in FORMATS:
        frame = orjson.loads(LINES[form].data("stocks/AAPL", event(b"null")))
        assert (frame["event"], frame["data"]) == ("put", None)


def test_compact_leaves_time_and_type_out() -> None:
    made = event(type="price.changed")
    expected = {"event": "put", "resource": "stocks/AAPL", "version": "1042", "data": {"price": 1}}
    assert orjson.loads(LINES["compact"].data("stocks/AAPL", made)) == expected
    assert msgpack.unpackb(PACKED["compact"].data("stocks/AAPL", made)) == expected


@pytest.mark.parametrize("number", [b"123456789012345678901234567890", b"-9223372036854775809", b"1e999"])
def test_a_number_that_msgpack_can_not_hold_leaves_the_data_as_text(number: bytes) -> None:
    data = b'{"n":' + number + b',"pad":"1234567890123456"}'
    for form in FORMATS:
        packed = msgpack.unpackb(PACKED[form].data("stocks/AAPL", event(data)))
        assert (packed["data"], packed["encoding"]) == (data.decode(), "json")


@pytest.mark.parametrize(
    "made",
    [event(), event(None), event(b"null"), event(type="price.changed", source="urn:exchange", event_id="e-1")],
)
def test_a_cloud_event_is_read_by_the_cloudevents_library(made: Event) -> None:
    read = JSONFormat().read(None, LINES["cloudevents"].data("stocks/AAPL", made))
    assert read.get_specversion() == "1.0"
    assert read.get_subject() == "AAPL"
    assert read.get_id() == (made.event_id or "3-1042")
    assert read.get_source() == (made.source or "/v1/stocks")
    assert read.get_type() == (made.type or ("resource.deleted" if made.data is None else "resource.changed"))
    assert read.get_extension("version") == "1042"
    assert read.get_extension("resource") == "stocks/AAPL"
    assert read.get_data() == (None if made.data is None else orjson.loads(made.data))


def test_cloud_events_as_msgpack_have_the_same_members() -> None:
    text = orjson.loads(LINES["cloudevents"].data("stocks/AAPL", event()))
    assert msgpack.unpackb(PACKED["cloudevents"].data("stocks/AAPL", event())) == text


def test_an_event_stream_has_its_cursor_as_id() -> None:
    stream = body(
        SSE_ONE["json"].data("stocks/AAPL", event(), "c1")
        + SSE_ONE["json"].control({"event": "bookmark", "cursor": "c2"}, "c2")
        + SSE_ONE["json"].control({"event": "problem", "code": "slow"})
    )
    messages, last_id = event_source(stream)
    assert [(m.type, m.last_event_id) for m in messages] == [("put", "c1"), ("bookmark", "c2"), ("problem", "c2")]
    assert last_id == "c2"


def test_an_id_alone_moves_the_reader_and_dispatches_nothing() -> None:
    messages, last_id = event_source(body(SSE["json"].progress("c3")))
    assert (messages, last_id) == ([], "c3")
    assert SSE["json"].progress(None) == b""
    assert WS_JSON["json"].progress("c3") == b""
    assert SSE_ONE["json"].progress("c3") == b""


@given(LABELS)
def test_no_name_breaks_out_of_its_line(resource_id: str) -> None:
    made = Event(resource_id, 0, 1, 0, b"1", type="a\nb\rc", source="s\ndata: x", event_id="\r\nid: 7")
    for form in FORMATS:
        text = SSE_HTTP10[form].data(f"stocks/{resource_id}", made)
        assert len(event_source(text)[0]) == 1
        assert event_source(text)[1] == ""
        assert LINES[form].data(f"stocks/{resource_id}", made).count(b"\n") == 1


def test_what_has_no_chunks_is_the_bare_stream() -> None:
    assert SSE_HTTP10["json"].control({"event": "bookmark"}, "c") == sse_message(
        b'{"event":"bookmark"}', "bookmark", "c"
    )


def test_a_wire_has_a_name_of_its_own() -> None:
    every = [wires[form] for wires in (*JSON_WIRES, WS_MSGPACK, PACKED) for form in FORMATS]
    assert len({wire.name for wire in every}) == len(every)
