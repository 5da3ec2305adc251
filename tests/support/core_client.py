"""One client of a hub without a network: operations go in, frames come out."""

from typing import Any

from services.pushserver.channel import Channel
from services.pushserver.counters import Counters
from services.pushserver.hub import Hub
from services.pushserver.session import Session
from services.pushserver.subscriber import Subscriber
from services.pushserver.subscription import WatchRequest
from services.pushserver.wire import WS_JSON, Wire
from shared.catalog import Mode
from shared.event import Event
from shared.principal import EVERYBODY, Principal
from shared.resource import Watch
from tests.support.core_output import READERS, FakeSink, Frame, Said, kernel_write
from tests.support.events import EPOCH, catalog


def hub_of(*events: Event, partitions: int = 1, **settings: object) -> Hub:
    """A hub that serves `stocks` with these events."""
    hub = Hub(catalog(**settings), Counters(), kernel_write)
    hub.serve(fresh(hub, *events, partitions=partitions))
    return hub


def fresh(hub: Hub, *events: Event, partitions: int = 1, epoch: bytes = EPOCH) -> Channel:
    """Another channel of the hub's `stocks`, with these events."""
    channel = Channel.empty(hub.catalog.get("stocks"), epoch, partitions)
    channel.apply(events, _positions(events))
    return channel


def broadcast(hub: Hub, *events: Event) -> None:
    """Tell everyone of a batch."""
    hub.broadcast(hub.channel("stocks"), events, _positions(events))


class Client:
    """A connection to a hub; `said` and `frames` give what it was told since they were last asked."""

    def __init__(
        self,
        hub: Hub,
        wire: Wire = WS_JSON["json"],
        *,
        limit_bytes: int = 100_000,
        together: bool = False,
        quiet: bool = False,
        max_watches: int = 10,
        principal: Principal = EVERYBODY,
    ) -> None:
        self.hub = hub
        self.sink = FakeSink()
        self.subscriber = Subscriber(
            wire, self.sink, hub.counters, limit_bytes=limit_bytes, together=together, quiet=quiet
        )
        self.sink.subscriber = self.subscriber
        self.session = Session(hub, self.subscriber, principal, max_watches=max_watches)
        self._read = READERS[wire.name.removesuffix("-json").removesuffix("-compact")]
        hub.join(self.subscriber)

    def watch(self, label: str, mode: Mode = "state", **more: Any) -> None:
        """Watch something; raises Problem."""
        assert self.session.subscribe(WatchRequest(Watch.parse(label), mode, **more)) is None
        self.sink.woken |= self.subscriber.pump()

    def op(self, **members: Any) -> Frame:
        """Send an operation; returns the one frame that answers it."""
        self.sink.take()
        self.session.on_op(members)
        (frame,) = self.frames()
        return frame

    def said(self) -> list[Said]:
        """What was written, with the cursors."""
        return list(self._read(self.sink.take()))

    def frames(self) -> list[Frame]:
        """The frames written."""
        return [said.frame for said in self.said() if said.frame is not None]

    def story(self) -> list[str]:
        """The frames written in short: `a@1`, `-a@2` for a delete, the event's name for all others."""
        return [_short(frame) for frame in self.frames()]


def _short(frame: Frame) -> str:
    if "version" not in frame:
        return str(frame["event"])
    return f"{'-' if frame['event'] == 'delete' else ''}{frame['resource'].split('/', 1)[1]}@{frame['version']}"


def _positions(events: tuple[Event, ...]) -> dict[int, int]:
    return {event.partition: event.offset + 1 for event in events}
