"""The sink: where a subscriber's bytes go. Behind it is a socket, or a poll that gathers."""

from typing import Final, Protocol

from services.pushserver.close import CloseReason
from services.pushserver.group import NO_SOCKET


class Sink(Protocol):
    """Where a subscriber's bytes go; sets `Subscriber.blocked` as the socket fills and empties.

    `socket` is a descriptor to which bytes may be written past `write`, as long as the subscriber isn't blocked (then
    nothing that was written before is still on its way to the kernel), or NO_SOCKET.
    """

    socket: int

    def finish(self, data: bytes, written: int) -> None:
        """Write the rest of bytes of which `socket` took only so many; the connection may be broken."""

    def write(self, data: bytes) -> None:
        """Take bytes, in order, at once."""

    def close(self, reason: CloseReason, cursor: str | None) -> None:
        """Write what ends the stream and let the connection go, once its bytes have left."""

    def cut(self) -> None:
        """Let the connection go at once; bytes that haven't left never will."""

    def wake(self) -> None:
        """See to it that `Subscriber.pump` is called, after others had their turn."""

    def mind_stall(self, now: float, stalled_s: float) -> None:
        """End a reader that has taken no byte for too long; `now` is the event loop's time."""


class Nowhere:
    """The sink of a connection that is gone: takes everything, and does nothing."""

    socket: int = NO_SOCKET

    def finish(self, data: bytes, written: int) -> None:
        """Nothing."""

    def write(self, data: bytes) -> None:
        """Nothing."""

    def close(self, reason: CloseReason, cursor: str | None) -> None:
        """Nothing."""

    def cut(self) -> None:
        """Nothing."""

    def wake(self) -> None:
        """Nothing."""

    def mind_stall(self, now: float, stalled_s: float) -> None:
        """Nothing."""


NOWHERE: Final[Sink] = Nowhere()
