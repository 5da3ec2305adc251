"""A connection that has left ASGI: the socket's side of a subscriber."""

import asyncio
from collections.abc import Callable
from typing import Any

from services.pushserver.close import GONE, SLOW, CloseReason
from services.pushserver.subscriber import Subscriber
from services.pushserver.transports.reception import Reception
from shared.problem import Problem


class Connection(asyncio.Protocol):
    """Passes bytes and flow control between a transport and its subscriber; subclasses say how it ends."""

    __slots__ = ("blocked_since", "reception", "subscriber", "transport", "write")

    def __init__(self, reception: Reception) -> None:
        self.reception = reception
        self.subscriber: Subscriber
        self.transport: Any = None
        self.write: Callable[[bytes], None]
        self.blocked_since = 0.0

    def take_over(self, transport: asyncio.Transport) -> None:
        """The handshake is done: begin to tell."""
        self.transport = transport
        # Its own attribute, and not a method that calls it: what the hub calls is the transport itself.
        self.write = transport.write
        transport.set_write_buffer_limits(high=self.reception.settings.write_buffer_bytes)
        self.reception.hub.join(self.subscriber)
        if self.subscriber.pump():
            self.wake()

    # The transport's calls

    def data_received(self, data: bytes) -> None:
        """What the client says; nothing is expected here."""

    def eof_received(self) -> bool:
        """The client will say nothing more: over these transports that means that it is gone."""
        return False

    def pause_writing(self) -> None:
        """The socket is full."""
        self.subscriber.blocked = True
        self.blocked_since = asyncio.get_running_loop().time()

    def resume_writing(self) -> None:
        """The socket takes bytes again."""
        self.blocked_since = 0.0
        if self.subscriber.on_writable():
            self.wake()

    def connection_lost(self, _exc: Exception | None) -> None:
        """The connection is gone, for whatever reason."""
        if not self.subscriber.ended:
            self.reception.counters.closed[GONE.name] += 1
        self.reception.hub.leave(self.subscriber)

    # The subscriber's calls

    def wake(self) -> None:
        """Pump soon."""
        asyncio.get_running_loop().call_soon(self._pump)

    def close(self, reason: CloseReason, cursor: str | None) -> None:
        """End it; what was written before still leaves."""
        del reason, cursor
        self.transport.close()

    # The heartbeat's call

    def mind_stall(self, now: float, stalled_s: float) -> None:
        """Cut a reader that has taken no byte for too long."""
        if self.blocked_since and now - self.blocked_since > stalled_s:
            if self.subscriber.ended:
                self.transport.abort()
                return
            detail = f"this reader took no byte for {stalled_s:g} s"
            self.subscriber.end(SLOW, Problem("slow", detail, cursor=self.subscriber.cursor()))
            self.blocked_since = now

    def _pump(self) -> None:
        if self.subscriber.pump():
            self.wake()
