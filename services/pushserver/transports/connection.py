"""A connection that has left ASGI: the socket's side of a subscriber."""

import asyncio
import os
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from services.pushserver.close import DEAD_PEER, GONE, CloseReason
from services.pushserver.group import NO_SOCKET
from services.pushserver.subscriber import Subscriber
from services.pushserver.transports.peer import is_death, look_at, wait_for
from services.pushserver.transports.reception import Reception
from services.pushserver.transports.stall import Stall
from shared.principal import Principal

_DIRECT: Final = os.name == "posix"
"""Elsewhere a socket's descriptor is none that `os.write` takes."""


class Connection(asyncio.Protocol):
    """Passes bytes and flow control between a transport and its subscriber; subclasses say how it ends."""

    __slots__ = ("principal", "reception", "socket", "stall", "subscriber", "transport", "write")

    def __init__(self, reception: Reception, principal: Principal) -> None:
        self.reception = reception
        self.principal = principal
        self.subscriber: Subscriber
        self.transport: Any = None
        self.write: Callable[[bytes], None]
        self.socket = NO_SOCKET
        self.stall: Stall | None = None

    def take_over(self, transport: asyncio.Transport, head: bytes) -> None:
        """The handshake is done: begin to tell."""
        self.transport = transport
        # With the first bytes in one write: a write costs as much as a quarter of a handshake.
        begin = self.write = partial(self._begin, head)
        if _DIRECT and transport.get_extra_info("sslcontext") is None:
            # Nothing may wait in the transport unknown to the subscriber: what the hub writes would overtake it.
            transport.set_write_buffer_limits(high=0)
            self.socket = transport.get_extra_info("socket").fileno()
        more = self.subscriber.pump()
        if self.write is begin:
            begin(b"")
        if more:
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

    def resume_writing(self) -> None:
        """The socket takes bytes again."""
        self.subscriber.blocked = self.subscriber.ended
        self.wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, for whatever reason."""
        if not self.subscriber.ended:
            reason = DEAD_PEER if is_death(exc) else self.reception.overlap.reason_of(self.subscriber, GONE)
            self.reception.counters.closed[reason.name] += 1
            self.reception.ended(self.principal, reason)
        self.reception.leave(self.subscriber)

    # The subscriber's calls

    def finish(self, data: bytes, written: int) -> None:
        """Write the rest: the transport finds out whether the socket is full or broken."""
        self.transport.write(memoryview(data)[written:])

    def wake(self) -> None:
        """Pump soon."""
        self.reception.turns.ask(self)

    def close(self, reason: CloseReason, cursor: str | None) -> None:
        """End it; what was written before still leaves."""
        del cursor
        self.reception.ended(self.principal, reason)
        self.transport.close()

    def cut(self) -> None:
        """End it now."""
        self.transport.abort()

    # The heartbeat's call

    def mind_stall(self, now: float, stalled_s: float) -> None:
        """Cut a reader that has taken no byte for too long; who takes some is slow, and may be."""
        look = look_at(self.transport)
        stall = self.stall = self.stall or (Stall(look, now) if look.waiting else None)
        if stall is None:
            return
        self._be_lenient(stall, lenient=look.waiting and look.shut)
        if not look.waiting:
            self.stall = None
        elif stall.lasts_s(look, now) > stalled_s:
            stall.begin_anew(look, now)
            self._cut(stalled_s)

    def _be_lenient(self, stall: Stall, *, lenient: bool) -> None:
        """Who has stopped is ours to cut, who is dead the kernel's: it finds out sooner."""
        if lenient != stall.lenient:
            settings = self.reception.settings
            wait_for(self.transport, settings.dead_peer_s + (settings.stalled_s if lenient else 0))
            stall.lenient = lenient

    def _cut(self, stalled_s: float) -> None:
        if self.subscriber.ended:
            self.transport.abort()
            return
        self.subscriber.too_slow(f"this reader took no byte for {stalled_s:g} s")

    def pump(self) -> bool:
        """Its turn has come."""
        return self.subscriber.pump()

    def _begin(self, head: bytes, data: bytes) -> None:
        self.write = self.transport.write
        self.write(head + data)
