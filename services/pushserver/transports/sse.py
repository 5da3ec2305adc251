"""Server-Sent Events: one or several watches as an event stream (WHATWG HTML, section 9.2)."""

import time
from email.utils import formatdate
from functools import lru_cache
from typing import Any, Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.pushserver.close import CloseReason
from services.pushserver.successor import EXTENSION
from services.pushserver.transports.connection import Connection
from services.pushserver.transports.reception import Reception
from services.pushserver.transports.request import Asked
from services.pushserver.wire import SSE, SSE_HTTP10, SSE_ONE, Wire, http_chunk, sse_retry
from shared.http1 import EVERY_ANSWER
from shared.principal import Principal

HEADERS: Final = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
}
_END_OF_HEAD: Final = b"\r\n\r\n"
_LAST_CHUNK: Final = b"0\r\n\r\n"


class StreamConnection(Connection):
    """An event stream after its response head."""

    __slots__ = ("chunked",)

    def __init__(self, reception: Reception, principal: Principal, *, chunked: bool) -> None:
        super().__init__(reception, principal)
        self.chunked = chunked

    def close(self, reason: CloseReason, cursor: str | None) -> None:
        """End the body: who sees the last chunk knows that nothing was cut off."""
        if self.chunked and not self.transport.is_closing():
            self.transport.write(_LAST_CHUNK)
        super().close(reason, cursor)


async def stream(reception: Reception, asked: Asked, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with an event stream; raises Problem as long as nothing was sent."""
    await reception.settle(asked)
    chunked = scope["http_version"] != "1.0"
    connection = StreamConnection(reception, asked.principal, chunked=chunked)
    connection.subscriber = reception.subscriber(_wire(asked, chunked=chunked), connection, together=True)
    reception.open(connection.subscriber, asked)
    if scope["method"] == "HEAD":
        reception.leave(connection.subscriber)
        await Response(headers=HEADERS)(scope, receive, send)
        return
    hand_off: Any = scope["extensions"][EXTENSION]
    head = _head(reception.settings.sse_retry_ms, int(time.time()), chunked=chunked)
    if more := {**reception.gate.cors.headers(asked.headers), **asked.told}:
        lines = "".join(f"{name}: {text}\r\n" for name, text in more.items()).encode("latin-1")
        head = head.replace(_END_OF_HEAD, b"\r\n" + lines + b"\r\n", 1)
    with reception.leaving_unless_taken_over(connection.subscriber):
        hand_off(head, connection)


def _wire(asked: Asked, *, chunked: bool) -> Wire:
    if not chunked:
        return SSE_HTTP10[asked.format]
    if len(asked.watches) == 1 and asked.watch.id is not None:
        return SSE_ONE[asked.format]
    return SSE[asked.format]


@lru_cache(maxsize=8)
def _head(retry_ms: int, now_s: int, *, chunked: bool) -> bytes:
    headers = {"Date": formatdate(now_s, usegmt=True), **HEADERS, **EVERY_ANSWER}
    headers |= {"Transfer-Encoding": "chunked"} if chunked else {"Connection": "close"}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    retry = sse_retry(retry_ms)
    return b"HTTP/1.1 200 OK\r\n" + lines.encode() + b"\r\n" + (http_chunk(retry) if chunked else retry)
