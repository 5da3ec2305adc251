"""A subscription: one watch of one connection."""

from typing import TYPE_CHECKING, NamedTuple

from services.pushserver.channel import Channel
from services.pushserver.group import NO_SOCKET
from shared.catalog import Mode
from shared.resource import Watch

if TYPE_CHECKING:
    from services.pushserver.subscriber import Subscriber


class WatchRequest(NamedTuple):
    """What a client asked for; `since_ms` is milliseconds since 1970, `ref` the client's own mark on its question."""

    watch: Watch
    mode: Mode = "state"
    snapshot: bool = True
    cursor: str | None = None
    since_ms: int | None = None
    ref: object = None


class Subscription:
    """A watch from when it was asked for until it ends; `synced` once its initial state has been told.

    `direct` is the descriptor of the socket, as long as the hub may write to it by itself: the connection has no other
    watch, and nothing waits for it. Going through the layers would cost a delivery a quarter more.
    """

    __slots__ = ("channel", "direct", "mode", "subscriber", "synced", "watch", "wire")

    def __init__(self, subscriber: "Subscriber", channel: Channel, watch: Watch, mode: Mode) -> None:
        self.subscriber = subscriber
        self.channel = channel
        self.watch = watch
        self.mode = mode
        self.wire = subscriber.wire
        self.direct = NO_SOCKET
        self.synced = False

    def route(self, direct: int) -> None:
        """Say to which socket the hub may write by itself."""
        if direct != self.direct:
            self.direct = direct
            self.channel.audience.changed(self)

    def __repr__(self) -> str:
        return f"<Subscription {self.watch.label} {self.mode}{'' if self.synced else ' (opening)'}>"
