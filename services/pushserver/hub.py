"""The hub: who watches what, and the broadcast of what has changed.

Everything here is synchronous. A batch from Kafka is applied to the table and given to every watcher of it with no
`await` in between, so "copy the state, join the audience" is atomic and there is no gap between snapshot and live.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import repeat

from services.pushserver.change import Change, Delivery
from services.pushserver.channel import Channel
from services.pushserver.counters import Counters
from services.pushserver.group import Group, Row
from services.pushserver.progress import watch_cursor
from services.pushserver.subscriber import Subscriber
from services.pushserver.subscription import Subscription
from services.pushserver.wheel import Wheel
from shared.catalog import Catalog
from shared.event import Event
from shared.problem import Problem


class Hub:
    """All channels of this server, and all subscribers.

    `write` is how bytes get to a socket by its descriptor: it takes as many as it can, and says how many, or raises
    OSError.
    """

    def __init__(self, catalog: Catalog, counters: Counters, write: Callable[[int, bytes], int]) -> None:
        self._write = write
        self.catalog = catalog
        self.counters = counters
        self.channels: dict[str, Channel] = {}
        self.wheel = Wheel()

    def __repr__(self) -> str:
        return f"<Hub of {len(self.wheel)} subscribers, {list(self.channels.values())}>"

    def channel(self, name: str) -> Channel:
        """The channel of a collection; raises Problem `not_found`, or `not_ready` while it has not been read."""
        channel = self.channels.get(name)
        if channel is None:
            self.catalog.get(name)
            raise Problem("not_ready", f"{name} is still being read from Kafka")
        return channel

    def join(self, subscriber: Subscriber) -> None:
        """Count a connection in: it gets bookmarks from now on."""
        self.wheel.add(subscriber)

    def leave(self, subscriber: Subscriber) -> None:
        """Count a connection out, with all its watches."""
        self.wheel.remove(subscriber)
        subscriber.drop_all()

    def serve(self, fresh: Channel) -> None:
        """Serve a channel that has been read to its end: a new one, or the next epoch of one that is watched."""
        channel = self.channels.get(fresh.name)
        if channel is None:
            self.channels[fresh.name] = fresh
            return
        channel.take_over(fresh)
        for subscriber in self.wheel:
            if any(subscription.channel is channel for subscription in subscriber.subscriptions):
                subscriber.restart(channel)

    def broadcast(self, channel: Channel, events: Sequence[Event], positions: dict[int, int]) -> None:
        """Apply a batch, in the order read, and tell everyone whom it concerns.

        `positions` says how far each partition has been read by it. A subscriber gets one write for the batch at most;
        one with several watches gets each event once, however many of them match.
        """
        before = channel.positions
        news = channel.apply(events, positions)
        self.counters.records += len(events)
        if not channel.audience.size or not news:
            return
        changes = _Changes(channel, news)
        several: dict[Subscriber, dict[int, bool]] = {}
        for group, indexes in channel.audience.match(news):
            first = next(iter(group))
            delivery = Delivery(changes.at(indexes), before, channel.positions, partial(watch_cursor, first))
            for subscription in self._tell(group, delivery):
                of_state = subscription.mode == "state"
                subscriber = subscription.subscriber
                if subscriber.subscriptions.only is not None:
                    subscriber.offer(channel, delivery, conflate=repeat(of_state) if of_state else None)
                else:
                    several.setdefault(subscriber, {}).update(dict.fromkeys(indexes, of_state))
        for subscriber, wanted in several.items():
            _offer_several(channel, subscriber, changes, before, wanted)

    def _tell(self, group: Group[Subscription], delivery: Delivery) -> Sequence[Subscription]:
        """Write to whom the hub may write by itself, and return the others."""
        rows, others = group.split()
        for row in rows:
            self._write_row(row, delivery.payload(row.wire))
            self.counters.writes += len(row.sockets)
            self.counters.deliveries += len(row.sockets) * len(delivery.changes)
        return others

    def _write_row(self, row: Row[Subscription], payload: bytes) -> None:
        """The innermost loop of the house; a socket that doesn't take all is seen to by its connection."""
        write, size = self._write, len(payload)
        sockets = iter(row.sockets)
        done = written = 0
        while done < len(row.sockets):
            try:
                for socket in sockets:
                    written = write(socket, payload)
                    if written != size:
                        break
                    done += 1
            except OSError:
                written = 0
            if done < len(row.sockets):
                row.members[done].subscriber.sink.finish(payload, written)
                done += 1


class _Changes:
    """The changes of a batch, made when somebody wants them."""

    def __init__(self, channel: Channel, events: Sequence[Event]) -> None:
        self._channel = channel
        self._events = events
        self._made: dict[int, Change] = {}

    def at(self, indexes: Iterable[int]) -> list[Change]:
        return [self._made.get(index) or self._make(index) for index in indexes]

    def _make(self, index: int) -> Change:
        change = self._made[index] = Change(self._channel, self._events[index])
        return change


def _offer_several(
    channel: Channel, subscriber: Subscriber, changes: _Changes, before: Sequence[int], wanted: dict[int, bool]
) -> None:
    indexes = sorted(wanted)
    delivery = Delivery(changes.at(indexes), before, channel.positions, lambda at: subscriber.cursor_at(channel, at))
    subscriber.offer(channel, delivery, conflate=[wanted[index] for index in indexes])
