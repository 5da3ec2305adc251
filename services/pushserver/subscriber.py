"""The subscriber: one connection as the hub sees it, and all that waits for it.

While the socket takes bytes, changes go straight to it. While it doesn't, they wait in the mailbox. Openings (the
snapshots and resumes of new watches) are pulled piece by piece when nothing waits. The socket is behind `Sink`.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from services.pushserver import frames
from services.pushserver.change import Delivery
from services.pushserver.channel import Channel
from services.pushserver.close import EXPIRED, SLOW, CloseReason
from services.pushserver.counters import Counters
from services.pushserver.doors import Door
from services.pushserver.group import NO_SOCKET
from services.pushserver.mailbox import Mailbox
from services.pushserver.opening import PIECE_BYTES, Opening, Openings, synced_frames
from services.pushserver.progress import cursor_of
from services.pushserver.resume import Begin, expired
from services.pushserver.sink import NOWHERE, Sink
from services.pushserver.subscription import Subscription
from services.pushserver.watchlist import Watchlist
from services.pushserver.wire import Wire
from shared.problem import Problem

PUMP_BYTES: Final = 32 * 1024
"""How much is written for one connection before the others get their turn: about half a millisecond of work."""


class Subscriber:
    """The outgoing side of one connection.

    `together`: tell every `synced` only when all openings are done (SSE, long poll). `quiet`: tell no bookmarks, and no
    `synced` of a watch that resumed (long poll). `door` is the front door that it came through.
    """

    __slots__ = (
        "_blocked",
        "_bookmark_due",
        "_mailbox",
        "_openings",
        "_skipped",
        "counters",
        "door",
        "ended",
        "limit_bytes",
        "quiet",
        "sink",
        "slot",
        "subscriptions",
        "together",
        "wire",
    )

    def __init__(
        self,
        wire: Wire,
        sink: Sink,
        counters: Counters,
        *,
        limit_bytes: int,
        together: bool = False,
        quiet: bool = False,
    ) -> None:
        self.wire = wire
        self.sink = sink
        self.counters = counters
        self.limit_bytes = limit_bytes
        self.together = together
        self.quiet = quiet
        self.ended = False
        self.slot = -1
        self.door: Door | None = None
        self.subscriptions = Watchlist()
        self._mailbox: Mailbox | None = None
        self._openings: Openings | None = None
        self._blocked = False
        self._bookmark_due = False
        self._skipped = 0

    def __repr__(self) -> str:
        waiting = len(self._mailbox) if self._mailbox else 0
        return f"<Subscriber {self.wire.name} blocked={self.blocked} waiting={waiting} {self.subscriptions}>"

    @property
    def blocked(self) -> bool:
        """Whether the socket takes nothing now; set by whoever has the socket."""
        return self._blocked

    @blocked.setter
    def blocked(self, blocked: bool) -> None:
        self._blocked = blocked
        self._route()

    # What the hub does

    def offer(self, channel: Channel, delivery: Delivery, *, conflate: Iterable[bool] | None) -> None:
        """Give it the changes of a batch: written at once, or kept while the socket is blocked.

        `conflate` says for each change whether a newer one may take its place while it waits; None: its only watch is
        in log mode.
        """
        if self.blocked or self._mailbox is not None:
            self._keep(channel, delivery, conflate=conflate)
            return
        self.counters.deliveries += len(delivery.changes)
        self._write(delivery.payload(self.wire))

    def restart(self, channel: Channel) -> None:
        """The epoch of a channel has ended: state watches begin again, log watches end with `expired`."""
        if self._mailbox is not None:
            self._mailbox.forget_channel(channel)
        for subscription in self.subscriptions:
            if subscription.channel is not channel:
                continue
            channel.audience.remove(subscription)
            self._forget_opening(subscription)
            subscription.synced = False
            if subscription.mode == "log" or not channel.table.held:
                self.fail(subscription, expired(channel, subscription.watch))
            else:
                self._begin(Opening.again(subscription, "epoch"))
        self.sink.wake()

    # What the session and the transports do

    def open(self, subscription: Subscription, begin: Begin, ref: object = None) -> None:
        """Add a watch; its initial state follows by `pump`."""
        if (first := self.subscriptions.only) is not None:
            first.route(NO_SOCKET)
        self.subscriptions.add(subscription)
        self._begin(Opening(subscription, begin, ref))
        self._route()

    def drop(self, subscription: Subscription) -> None:
        """End a watch."""
        subscription.channel.audience.remove(subscription)
        self.subscriptions.remove(subscription)
        self._forget_opening(subscription)
        if self._mailbox is not None:
            watched = self.subscriptions.covers
            self._mailbox.forget(lambda change: not watched(change.channel, change.event.id))
        self._route()

    def drop_all(self) -> None:
        """The connection is gone, and nothing of it may be held."""
        self.ended = self.blocked = True
        for subscription in self.subscriptions:
            subscription.channel.audience.remove(subscription)
        self.subscriptions.clear()
        self._mailbox = self._openings = None
        self.sink = NOWHERE

    def fail(self, subscription: Subscription, problem: Problem) -> None:
        """End a watch for a reason; the last one that isn't of an operation takes its connection with it."""
        self.drop(subscription)
        if self.together and not self.subscriptions:
            self.end(EXPIRED, problem)
        else:
            self.tell(frames.problem(problem))

    def tell(self, frame: Mapping[str, Any], before: bytes = b"") -> None:
        """Write a frame that isn't data: after what was written, before what waits."""
        if not self.ended:
            self._write(before + self.wire.control(frame))

    def pump(self) -> bool:
        """Write what waits, in pieces, until the socket blocks or others have to get their turn (then True)."""
        room = PUMP_BYTES
        while not self.blocked and room > 0:
            if self._mailbox is not None:
                room -= self._flush(self._mailbox)
            elif self._openings:
                room -= self._open_next(self._openings)
            else:
                if self._bookmark_due:
                    self.bookmark()
                return False
        return not self.blocked

    def tick(self) -> None:
        """Time for a bookmark; while something waits, it follows after that."""
        if self.blocked or self._mailbox is not None or self._openings:
            self._bookmark_due = True
        else:
            self.bookmark()

    def bookmark(self, before: bytes = b"") -> None:
        """Say how far it has come: of what waits its cursor knows nothing."""
        self._bookmark_due = False
        if self.ended or self.quiet:
            return
        cursor = self.cursor()
        as_of_ms = min((subscription.channel.as_of_ms for subscription in self.subscriptions), default=None)
        skipped, self._skipped = self._skipped + (self._mailbox.elided if self._mailbox is not None else 0), 0
        self._write(before + self.wire.control(frames.bookmark(cursor, as_of_ms, skipped), cursor))

    def go_away(self, reconnect_in_ms: int, *, at_once: bool = False) -> None:
        """A bookmark, behind what waits unless it ends `at_once`, and a `goaway`; whoever says so ends it."""
        (self.bookmark if at_once else self.tick)()
        self.tell(frames.goaway(self.cursor(), reconnect_in_ms), self.wire.retry(reconnect_in_ms))

    def end(self, reason: CloseReason, problem: Problem | None = None) -> None:
        """End the connection, and say why as far as it can still be said."""
        if self.ended:
            return
        cursor = self.cursor()
        if problem is not None:
            self.tell(frames.problem(problem))
        self.ended = self.blocked = True
        self.counters.closed[reason.name] += 1
        self._mailbox = self._openings = None
        self.sink.close(reason, cursor)

    def too_slow(self, detail: str, **members: Any) -> None:
        """End the connection of a reader that can't keep up; its cursor is where nothing is missing yet."""
        self.end(SLOW, Problem("slow", detail, cursor=self.cursor(), **members))

    def cursor(self) -> str | None:
        """How far this connection has come, for every watch that is synced; None when there is none."""
        return cursor_of(self.subscriptions, self._mailbox.written if self._mailbox is not None else None)

    def cursor_at(self, channel: Channel, positions: Sequence[int]) -> str:
        """The same, with other positions for one channel; empty when no watch is synced."""
        return cursor_of(self.subscriptions, {channel: positions}) or ""

    @property
    def caught_up(self) -> bool:
        """Whether nothing waits: every watch is live and every change written."""
        return self._mailbox is None and not self._openings

    # How it is done

    def _route(self) -> None:
        """Say whether the hub may write by itself: only to who has one watch, which then needs no thought."""
        subscription = self.subscriptions.only
        if subscription is not None:
            free = not self._blocked and self._mailbox is None and not self._openings
            subscription.route(self.sink.socket if free else NO_SOCKET)

    def _write(self, data: bytes) -> None:
        self.counters.writes += 1
        self.sink.write(data)

    def _keep(self, channel: Channel, delivery: Delivery, *, conflate: Iterable[bool] | None) -> None:
        if self.ended:
            return
        if self._mailbox is None:
            self._mailbox = Mailbox(self.limit_bytes, self.counters)
        if not self._mailbox.keep(channel, delivery, conflate=conflate):
            self.too_slow(f"more than {self.limit_bytes} bytes wait for this reader: resume with the cursor")

    def _flush(self, mailbox: Mailbox) -> int:
        data = b"".join(mailbox.flush(self.wire, PIECE_BYTES, partial(cursor_of, self.subscriptions)))
        if not mailbox:
            self._mailbox = None
            self._skipped += mailbox.elided
        if data:
            self._write(data)
        self._route()
        return len(data)

    def _begin(self, opening: Opening) -> None:
        self._openings = self._openings or Openings(together=self.together)
        self._openings.add(opening)

    def _open_next(self, openings: Openings) -> int:
        opening = openings.head
        if opening.broken and not opening.start_over():
            watch = opening.subscription.watch.label
            self.too_slow("the history moved on while it was told: resume with the cursor", watch=watch)
            return 0
        pieces, cost = opening.pull(self.wire)
        if opening.told:
            # From here on the hub tells it. Nothing can have changed in between: all of this is one synchronous step.
            opening.subscription.channel.audience.add(opening.subscription)
            pieces += self._synced(openings.finish())
        if pieces:
            self._write(b"".join(pieces))
        self._route()
        return cost

    def _synced(self, done: Sequence[Opening]) -> list[bytes]:
        self._openings = self._openings or None
        for opening in done:
            opening.subscription.synced = True
        told = [opening for opening in done if not (self.quiet and opening.resumed)]
        return synced_frames(told, self.wire, None if self._openings else self.cursor())

    def _forget_opening(self, subscription: Subscription) -> None:
        if self._openings is None:
            return
        if pieces := self._synced(self._openings.forget(subscription)):
            self._write(b"".join(pieces))
        elif not self._openings:
            # Its `synced` would have told the cursor of those before it.
            self._bookmark_due = True
            self.sink.wake()
