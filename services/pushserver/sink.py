"""The sink: where a subscriber's bytes go. Behind it is a socket, or a poll that gathers."""

from typing import Final, Protocol

from services.pushserver.close import CloseReason


class Sink(Protocol):
    """Where a subscriber's bytes go; calls `Subscriber.blocked = True` and `on_writable` as the socket fills."""

    def write(self, data: bytes) -> None:
        """Take bytes, in order, at once."""

    def close(self, reason: CloseReason, cursor: str | None) -> None:
        """Write what ends the stream and let the connection go, once its bytes have left."""

    def wake(self) -> None:
        """Call `Subscriber.pump` soon, after others had their turn."""

    def mind_stall(self, now: float, stalled_s: float) -> None:
        """End a reader that has taken no byte for too long; `now` is the event loop's time."""


class Nowhere:
    """The sink of a connection that is gone: takes everything, and does nothing."""

    def write(self, data: bytes) -> None:
        """Nothing."""

    def close(self, reason: CloseReason, cursor: str | None) -> None:
        """Nothing."""

    def wake(self) -> None:
        """Nothing."""

    def mind_stall(self, now: float, stalled_s: float) -> None:
        """Nothing."""


NOWHERE: Final[Sink] = Nowhere()
