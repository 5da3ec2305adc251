"""How far a connection has come: the cursor of its synced watches."""

from collections.abc import Iterable, Mapping, Sequence

from services.pushserver.channel import Channel
from services.pushserver.subscription import Subscription
from shared.cursor import Segment, encode_cursor

Positions = Mapping[Channel, Sequence[int]]


def cursor_of(subscriptions: Iterable[Subscription], instead: Positions | None = None) -> str | None:
    """The cursor of every watch that is synced, None when there is none.

    `instead` gives the positions of channels for which less has been written than this server has read.
    """
    watched: dict[Channel, list[Subscription]] = {}
    for subscription in subscriptions:
        if subscription.synced:
            watched.setdefault(subscription.channel, []).append(subscription)
    if not watched:
        return None
    instead = instead or {}
    return encode_cursor(
        _segment(channel, group, instead.get(channel) or channel.positions) for channel, group in watched.items()
    )


def watch_cursor(subscription: Subscription, positions: Sequence[int]) -> str:
    """The cursor that every connection with this one watch has at these positions."""
    return encode_cursor((_segment(subscription.channel, (subscription,), positions),))


def _segment(channel: Channel, subscriptions: Sequence[Subscription], positions: Sequence[int]) -> Segment:
    watches = [subscription.watch for subscription in subscriptions]
    known = channel.partitions_of(watches[0]) if len(watches) == 1 else range(len(positions))
    return channel.segment(watches, {partition: positions[partition] for partition in known})
