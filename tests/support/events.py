"""Events and the channels that hold them, made in one line."""

from services.pushserver.channel import Channel
from shared.catalog import Catalog, CollectionSettings, Mode
from shared.event import Event

EPOCH = b"epoch"
MODES: tuple[Mode, ...] = ("state", "log")


def put(resource_id: str, offset: int, data: bytes = b"1", *, partition: int = 0, logged_ms: int = 0) -> Event:
    """A put."""
    return Event(resource_id, partition, offset, logged_ms, data)


def delete(resource_id: str, offset: int, *, partition: int = 0, logged_ms: int = 0) -> Event:
    """A delete."""
    return Event(resource_id, partition, offset, logged_ms, None)


def catalog(**settings: object) -> Catalog:
    """A catalogue of one collection, `stocks`, that is watched in both modes."""
    return Catalog({"stocks": CollectionSettings.model_validate({"modes": MODES, **settings})})


def channel(*events: Event, partitions: int = 1, epoch: bytes = EPOCH, **settings: object) -> Channel:
    """A channel of `stocks` that has read these events."""
    made = Channel.empty(catalog(**settings).get("stocks"), epoch, partitions)
    made.apply(events, {event.partition: event.offset + 1 for event in events})
    return made
