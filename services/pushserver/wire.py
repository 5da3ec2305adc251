"""Event to frame: how a protocol message is written for one transport, encoding and format.

A frame is complete bytes, ready for the socket: the header of an (unmasked) WebSocket frame or the size of an HTTP
chunk included. Nothing in it differs between connections of one wire, so one encoding serves all of them.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, Literal

import msgpack
import orjson

from shared.event import Event, format_time
from shared.value import NumberTooLarge, msgpack_value

Format = Literal["json", "compact", "cloudevents"]
FORMATS: Final[tuple[Format, ...]] = ("json", "compact", "cloudevents")
Frame = Mapping[str, Any]
_SMALL: Final = 126
_MEDIUM: Final = 0x10000
_TEXT: Final = 0x81
_BINARY: Final = 0x82


class Wire:
    """One way to write frames. Two connections with the same wire get the same bytes.

    `id_per_event`: SSE of one resource, where every data frame carries the cursor it leads to.
    `marks_progress`: SSE of anything wider, where separate messages without data carry it.
    """

    __slots__ = ("_data_of", "_frame_of", "_retry_of", "_wrap", "id_per_event", "marks_progress", "name")

    def __init__(
        self,
        name: str,
        data_of: Callable[[str, Event], bytes],
        frame_of: Callable[[Frame], bytes],
        wrap: Callable[[bytes, str, str | None], bytes],
        *,
        id_per_event: bool = False,
        marks_progress: bool = False,
        retry_of: Callable[[int], bytes] | None = None,
    ) -> None:
        self.name = name
        self._data_of = data_of
        self._frame_of = frame_of
        self._wrap = wrap
        self.id_per_event = id_per_event
        self.marks_progress = marks_progress
        self._retry_of = retry_of

    def __repr__(self) -> str:
        return f"<Wire {self.name}>"

    def data(self, label: str, event: Event, cursor: str | None = None) -> bytes:
        """The `put` or `delete` frame of an event; `label` is the resource's, `cursor` only where `id_per_event`."""
        return self._wrap(self._data_of(label, event), "delete" if event.data is None else "put", cursor)

    def control(self, frame: Frame, cursor: str | None = None) -> bytes:
        """Any other frame."""
        return self._wrap(self._frame_of(frame), str(frame["event"]), cursor)

    def progress(self, cursor: str | None) -> bytes:
        """What moves the reader's cursor without a frame; empty where there is no such thing, or no cursor yet."""
        return self._wrap(b"", "", cursor) if self.marks_progress and cursor else b""

    def retry(self, ms: int) -> bytes:
        """What tells a reader that can't be told by a frame when to come back: an `EventSource`; else empty."""
        return self._retry_of(ms) if self._retry_of else b""


def json_data(label: str, event: Event) -> bytes:
    """Format `json`: the data is the record's text as it is."""
    kind = b"" if event.type is None else b',"type":' + orjson.dumps(event.type)
    head = b'"resource":%b,"version":"%d","time":"%b"%b' % (
        orjson.dumps(label),
        event.offset,
        _time_text(event.occurred_ms),
        kind,
    )
    return _json_event(head, event.data)


def compact_data(label: str, event: Event) -> bytes:
    """Format `compact`: `json` without `time` and `type`."""
    return _json_event(b'"resource":%b,"version":"%d"' % (orjson.dumps(label), event.offset), event.data)


def cloudevents_data(label: str, event: Event) -> bytes:
    """Format `cloudevents`: CloudEvents 1.0 in structured JSON, with the frame's own members as extensions."""
    text = orjson.dumps(_cloudevent(label, event))
    if event.data is None:
        return text
    return text[:-1] + b',"datacontenttype":"application/json","data":' + event.data + b"}"


def msgpack_data(label: str, event: Event) -> bytes:
    """Format `json` as msgpack; where msgpack can't hold a number, `data` is the JSON text and `encoding` says so."""
    frame: dict[str, Any] = {
        "event": "delete" if event.data is None else "put",
        "resource": label,
        "version": str(event.offset),
        "time": format_time(event.occurred_ms),
    }
    if event.type is not None:
        frame["type"] = event.type
    return _packed(frame, event.data)


def msgpack_compact_data(label: str, event: Event) -> bytes:
    """Format `compact` as msgpack."""
    kind = "delete" if event.data is None else "put"
    return _packed({"event": kind, "resource": label, "version": str(event.offset)}, event.data)


def msgpack_cloudevents_data(label: str, event: Event) -> bytes:
    """Format `cloudevents` as msgpack."""
    frame = _cloudevent(label, event)
    if event.data is not None:
        frame["datacontenttype"] = "application/json"
    return _packed(frame, event.data)


def _json_event(head: bytes, data: bytes | None) -> bytes:
    if data is None:
        return b'{"event":"delete",' + head + b"}"
    return b'{"event":"put",' + head + b',"data":' + data + b"}"


def _cloudevent(label: str, event: Event) -> dict[str, Any]:
    collection = label.partition("/")[0]
    return {
        "specversion": "1.0",
        "id": event.event_id or f"{event.partition}-{event.offset}",
        "source": event.source or f"/v1/{collection}",
        "type": event.type or ("resource.deleted" if event.data is None else "resource.changed"),
        "subject": event.id,
        "time": format_time(event.occurred_ms),
        "event": "delete" if event.data is None else "put",
        "resource": label,
        "version": str(event.offset),
    }


def _packed(frame: dict[str, Any], data: bytes | None) -> bytes:
    if data is not None:
        try:
            frame["data"] = msgpack_value(data)
        except NumberTooLarge:
            frame |= {"data": data.decode(), "encoding": "json"}
    packed: bytes = msgpack.packb(frame)
    return packed


@lru_cache(maxsize=4096)
def _time_text(ms: int) -> bytes:
    return format_time(ms).encode()


def pack_frame(frame: Frame) -> bytes:
    """A control frame as msgpack."""
    packed: bytes = msgpack.packb(dict(frame))
    return packed


def ws_frame(opcode: int, payload: bytes) -> bytes:
    """A whole server-to-client WebSocket frame (RFC 6455, section 5.2): final, unmasked; `opcode` with the FIN bit."""
    size = len(payload)
    if size < _SMALL:
        return bytes((opcode, size)) + payload
    if size < _MEDIUM:
        return bytes((opcode, 126)) + size.to_bytes(2) + payload
    return bytes((opcode, 127)) + size.to_bytes(8) + payload


def _ws_text(payload: bytes, _event: str, _cursor: str | None) -> bytes:
    return ws_frame(_TEXT, payload)


def _ws_binary(payload: bytes, _event: str, _cursor: str | None) -> bytes:
    return ws_frame(_BINARY, payload)


def sse_message(payload: bytes, event: str, cursor: str | None) -> bytes:
    """One message of an event stream; without a payload it only sets the reader's last event id."""
    text = b"" if cursor is None else b"id: %b\n" % cursor.encode()
    if payload:
        text = b"event: %b\n%bdata: %b\n" % (event.encode(), text, payload)
    return text + b"\n"


def _sse_chunk(payload: bytes, event: str, cursor: str | None) -> bytes:
    return http_chunk(sse_message(payload, event, cursor))


def sse_retry(ms: int) -> bytes:
    """What sets an `EventSource`'s time to wait before it comes back."""
    return b"retry: %d\n\n" % ms


def _sse_retry_chunk(ms: int) -> bytes:
    return http_chunk(sse_retry(ms))


def http_chunk(data: bytes) -> bytes:
    """One chunk of a chunked body (RFC 9112, section 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def _line(payload: bytes, _event: str, _cursor: str | None) -> bytes:
    return payload + b"\n"


def _bare(payload: bytes, _event: str, _cursor: str | None) -> bytes:
    return payload


_JSON: Final[Mapping[Format, Callable[[str, Event], bytes]]] = {
    "json": json_data,
    "compact": compact_data,
    "cloudevents": cloudevents_data,
}
_MSGPACK: Final[Mapping[Format, Callable[[str, Event], bytes]]] = {
    "json": msgpack_data,
    "compact": msgpack_compact_data,
    "cloudevents": msgpack_cloudevents_data,
}

WS_JSON: Final = {f: Wire(f"ws-{f}", _JSON[f], orjson.dumps, _ws_text) for f in FORMATS}
WS_MSGPACK: Final = {f: Wire(f"ws-msgpack-{f}", _MSGPACK[f], pack_frame, _ws_binary) for f in FORMATS}
SSE: Final = {
    f: Wire(f"sse-{f}", _JSON[f], orjson.dumps, _sse_chunk, marks_progress=True, retry_of=_sse_retry_chunk)
    for f in FORMATS
}
SSE_ONE: Final = {
    f: Wire(f"sse-one-{f}", _JSON[f], orjson.dumps, _sse_chunk, id_per_event=True, retry_of=_sse_retry_chunk)
    for f in FORMATS
}
SSE_HTTP10: Final = {
    f: Wire(f"sse-http10-{f}", _JSON[f], orjson.dumps, sse_message, marks_progress=True, retry_of=sse_retry)
    for f in FORMATS
}
"""Without chunks, for clients and proxies that speak HTTP/1.0: the end of the stream is the end of the connection."""
LINES: Final = {f: Wire(f"lines-{f}", _JSON[f], orjson.dumps, _line) for f in FORMATS}
"""One JSON frame a line: NDJSON listings, and what a long poll gathers."""
PACKED: Final = {f: Wire(f"packed-{f}", _MSGPACK[f], pack_frame, _bare) for f in FORMATS}
"""msgpack frames one after another: what a long poll for msgpack gathers."""
