"""The bytes that the floor sends: those of our own frames, made by the push server's own encoder."""

from typing import Final

from load.bench.specimen import now_ns, value
from services.pushserver.wire import SSE_ONE, WS_JSON, Wire
from shared.cursor import Segment, encode_cursor, epoch_of
from shared.event import Event

_WIRES: Final[dict[str, Wire]] = {"ws": WS_JSON["json"], "sse": SSE_ONE["json"]}
_CURSOR: Final = encode_cursor((Segment(b"abc", epoch_of("bench"), (4711,), {7: 123_456}),))
_HEADS: Final = {
    "ws": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=\r\nSec-WebSocket-Protocol: watch.v1.json\r\n\r\n",
    "sse": b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
    b"Cache-Control: no-store, no-transform\r\nX-Accel-Buffering: no\r\nTransfer-Encoding: chunked\r\n\r\n",
}


def data_frame(kind: str) -> bytes:
    """A `put` of a specimen."""
    now_ms = 1_764_000_000_000
    event = Event("S0", 7, 123_456, now_ms, value(1, now_ns()), type="price.changed")
    return _WIRES[kind].data("stocks/S0", event, _CURSOR)


def handshake_answer(kind: str) -> bytes:
    """The head of an answer, and `synced`."""
    synced = {"event": "synced", "watch": "stocks/S0", "cursor": _CURSOR, "resumed": False}
    return _HEADS[kind] + _WIRES[kind].control(synced, _CURSOR)
