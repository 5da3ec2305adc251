"""The subscriber: one connection as the hub sees it, and all that waits for it.

While the socket takes bytes, changes go straight to it. While it doesn't, they wait in the mailbox. Openings (the
snapshots and resumes of new watches) are pulled piece by piece when nothing waits. The socket is behind `Sink`: nothing
here does I/O, and everything is told by named calls.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from services.pushserver.change import MARK_EVERY, Change, Delivery
from services.pushserver.channel import Channel
from services.pushserver.close import EXPIRED, GOING_AWAY, SLOW, CloseReason
from services.pushserver.counters import Counters
from services.pushserver.mailbox import Mailbox, Waiting
from services.pushserver.opening import Opening
from services.pushserver.progress import cursor_of
from services.pushserver.resume import Begin, expired
from services.pushserver.subscription import Subscription
from services.pushserver.walk import Walk
from services.pushserver.wire import Wire
from shared.event import Event, format_time
from shared.problem import Problem

PUMP_BYTES: Final = 256 * 1024
"""How much is written for one connection before the others get their turn."""
PIECE_BYTES: Final = 32 * 1024
_SCAN_COST: Final = 64
"""What looking at one event that isn't told costs, in bytes written."""
_DIRECT_TAIL: Final = 512


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


class Subscriber:
    """The outgoing side of one connection.

    `together`: tell every `synced` only when all openings are done (SSE, long poll). `quiet`: tell no bookmarks, and no
    `synced` of a watch that resumed (long poll).
    """

    __slots__ = (
        "_behind",
        "_bookmark_due",
        "_held",
        "_mailbox",
        "_openings",
        "_skipped",
        "blocked",
        "counters",
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
        self.blocked = False
        self.ended = False
        self.slot = -1
        self.subscriptions: tuple[Subscription, ...] = ()
        self._mailbox: Mailbox | None = None
        self._behind: dict[Channel, list[int]] | None = None
        self._openings: list[Opening] | None = None
        self._held: list[Opening] | None = None
        self._bookmark_due = False
        self._skipped = 0

    def __repr__(self) -> str:
        waiting = len(self._mailbox) if self._mailbox else 0
        return f"<Subscriber {self.wire.name} blocked={self.blocked} waiting={waiting} {self.subscriptions}>"

    # What the hub does

    def offer(self, channel: Channel, delivery: Delivery, *, conflate: bool) -> None:
        """Give it the changes of a batch: written at once, or kept while the socket is blocked."""
        if self.blocked or self._mailbox is not None:
            self._keep(channel, delivery.changes, delivery.before, conflate=conflate)
            return
        self.counters.deliveries += len(delivery.changes)
        self._write(delivery.payload(self.wire))

    def restart(self, channel: Channel) -> None:
        """The epoch of a channel has ended: state watches begin again, log watches end with `expired`."""
        if self._mailbox is not None:
            self._mailbox.forget(channel)
        if self._behind is not None:
            self._behind.pop(channel, None)
        for subscription in [s for s in self.subscriptions if s.channel is channel]:
            channel.audience.remove(subscription)
            self._forget_opening(subscription)
            subscription.synced = False
            if subscription.mode == "log" or not channel.table.held:
                self.fail(subscription, expired(channel, subscription.watch))
            else:
                begin = Begin(Walk.snapshot(channel, subscription.watch), reset="epoch")
                self._openings = [*(self._openings or ()), Opening(subscription, begin)]
        self.sink.wake()

    # What the session and the transports do

    def open(self, subscription: Subscription, begin: Begin, ref: object = None) -> None:
        """Add a watch; its initial state follows by `pump`."""
        self.subscriptions += (subscription,)
        self._openings = [*(self._openings or ()), Opening(subscription, begin, ref)]

    def drop(self, subscription: Subscription) -> None:
        """End a watch."""
        subscription.channel.audience.remove(subscription)
        self.subscriptions = tuple(other for other in self.subscriptions if other is not subscription)
        self._forget_opening(subscription)

    def drop_all(self) -> None:
        """The connection is gone."""
        self.ended = self.blocked = True
        for subscription in self.subscriptions:
            subscription.channel.audience.remove(subscription)
        self.subscriptions = ()
        self._mailbox = self._behind = self._openings = self._held = None

    def fail(self, subscription: Subscription, problem: Problem) -> None:
        """End a watch for a reason; the last one that isn't of an operation takes its connection with it."""
        self.drop(subscription)
        if self.together and not self.subscriptions:
            self.end(EXPIRED, problem)
        else:
            self.tell(problem_frame(problem))

    def tell(self, frame: Mapping[str, Any]) -> None:
        """Write a frame that isn't data: after what was written, before what waits."""
        if not self.ended:
            self._write(self.wire.control(frame))

    def on_writable(self) -> bool:
        """The socket takes bytes again; returns whether `pump` has to be called again."""
        self.blocked = self.ended
        return self.pump()

    def pump(self) -> bool:
        """Write what waits, in pieces, until the socket blocks or others have to get their turn (then True)."""
        room = PUMP_BYTES
        while not self.blocked and room > 0:
            if self._mailbox is not None:
                room -= self._flush()
            elif self._openings:
                room -= self._open_next()
            else:
                if self._bookmark_due and not self.quiet:
                    self._bookmark()
                return False
        return not self.blocked

    def tick(self) -> None:
        """Time for a bookmark; while something waits, it follows after that."""
        if self.blocked or self._mailbox is not None or self._openings:
            self._bookmark_due = True
        elif not self.quiet:
            self._bookmark()

    def go_away(self, reconnect_in_ms: int) -> None:
        """This server leaves: a bookmark, a `goaway`, and the end."""
        if self.ended:
            return
        self._bookmark()
        cursor = self.cursor()
        frame = {"event": "goaway", "cursor": cursor, "reconnect_in_ms": reconnect_in_ms}
        self._write(self.wire.control(frame))
        self._finish(GOING_AWAY, cursor)

    def end(self, reason: CloseReason, problem: Problem | None = None) -> None:
        """End the connection, and say why as far as it can still be said."""
        if self.ended:
            return
        cursor = self.cursor()
        if problem is not None:
            self._write(self.wire.control(problem_frame(problem)))
        self._finish(reason, cursor)

    def cursor(self) -> str | None:
        """How far this connection has come, for every watch that is synced; None when there is none."""
        return cursor_of(self.subscriptions, self._behind)

    def cursor_at(self, channel: Channel, positions: Sequence[int]) -> str:
        """The same, with other positions for one channel; empty when no watch is synced."""
        return cursor_of(self.subscriptions, {channel: positions}) or ""

    @property
    def caught_up(self) -> bool:
        """Whether nothing waits: every watch is live and every change written."""
        return self._mailbox is None and not self._openings

    # How it is done

    def _write(self, data: bytes) -> None:
        self.counters.writes += 1
        self.sink.write(data)

    def _finish(self, reason: CloseReason, cursor: str | None) -> None:
        self.ended = self.blocked = True
        self.counters.closed[reason.name] += 1
        self._mailbox = self._openings = self._held = None
        self.sink.close(reason, cursor)

    def _keep(self, channel: Channel, changes: Sequence[Change], before: Sequence[int], *, conflate: bool) -> None:
        if self.ended:
            return
        mailbox = self._mailbox = self._mailbox or Mailbox(self.limit_bytes)
        behind = self._behind = self._behind or {}
        behind.setdefault(channel, list(before))
        for change in changes:
            if not mailbox.put(change, conflate=conflate):
                detail = f"more than {self.limit_bytes} bytes wait for this reader: resume with the cursor"
                self.end(SLOW, Problem("slow", detail, cursor=self.cursor()))
                return

    def _flush(self) -> int:
        mailbox = self._mailbox
        if mailbox is None:
            return 0
        taken = mailbox.take(PIECE_BYTES)
        self._skipped += mailbox.elided
        self.counters.elided += mailbox.elided
        mailbox.elided = 0
        if not mailbox:
            self._mailbox = None
        data = b"".join(self._flushed(taken))
        self.counters.deliveries += len(taken)
        self._write(data)
        return len(data)

    def _flushed(self, taken: Sequence[Waiting]) -> list[bytes]:
        pieces: list[bytes] = []
        behind = self._behind or {}
        last = len(taken)
        for count, waiting in enumerate(taken, 1):
            change = waiting.change
            pieces.append(change.frame(self.wire))
            if change.channel in behind:
                behind[change.channel][change.event.partition] = waiting.first + 1
            if count == last and self._mailbox is None:
                self._behind = None
            if self.wire.marks_progress and (count == last or count % MARK_EVERY == 0):
                pieces.append(self.wire.progress(self.cursor()))
        return pieces

    def _open_next(self) -> int:
        opening = self._openings[0] if self._openings else None
        if opening is None:
            return 0
        pieces = []
        if opening.reset:
            pieces.append(self.wire.control(opening.reset_frame()))
            opening.reset = None
        walk = opening.walk
        if walk is not None and walk.broken:
            label = opening.subscription.watch.label
            self.end(SLOW, Problem("slow", "the history moved on while it was told", watch=label, cursor=self.cursor()))
            return 0
        cost = 0
        while walk is not None and not walk.done and cost < PIECE_BYTES:
            told = [self._encode(opening, event) for event in walk.pull()]
            pieces += told
            cost += sum(map(len, told)) + _SCAN_COST
        if walk is None or walk.done:
            self._go_live(opening, pieces)
        if pieces:
            self._write(b"".join(pieces))
        return cost + _SCAN_COST

    def _encode(self, opening: Opening, event: Event) -> bytes:
        return Change(opening.subscription.channel, event).frame(self.wire)

    def _go_live(self, opening: Opening, pieces: list[bytes]) -> None:
        """From here on the hub tells it; what changed while the walk went on comes first."""
        subscription, walk, opening.walk = opening.subscription, opening.walk, None
        if not opening.live:
            opening.live = True
            subscription.channel.audience.add(subscription)
        tail = walk.tail() if walk is not None else []
        if walk is not None and len(tail) > _DIRECT_TAIL:
            changes = [Change(subscription.channel, event) for event in tail]
            self._keep(subscription.channel, changes, walk.ends, conflate=subscription.mode == "state")
            return
        pieces += [self._encode(opening, event) for event in tail]
        self._synced(opening, pieces)

    def _synced(self, opening: Opening, pieces: list[bytes]) -> None:
        self._openings = (self._openings or [])[1:] or None
        self._held = [*(self._held or ()), opening]
        if self.together and self._openings:
            return
        held, self._held = self._held, None
        for done in held:
            done.subscription.synced = True
        cursor = self.cursor()
        for done in held:
            if not (self.quiet and done.resumed):
                pieces.append(self.wire.control(done.synced_frame(cursor), cursor))

    def _bookmark(self) -> None:
        self._bookmark_due = False
        cursor = self.cursor()
        as_of = min((s.channel.as_of_ms for s in self.subscriptions), default=None)
        frame = {
            "event": "bookmark",
            "cursor": cursor,
            "as_of": None if as_of is None else format_time(as_of),
            "skipped": self._skipped,
        }
        self._skipped = 0
        self._write(self.wire.control(frame, cursor))

    def _forget_opening(self, subscription: Subscription) -> None:
        self._openings = [o for o in self._openings or () if o.subscription is not subscription] or None
        self._held = [o for o in self._held or () if o.subscription is not subscription] or None


def problem_frame(problem: Problem, ref: object = None) -> dict[str, Any]:
    """A refusal as a frame."""
    frame = {
        "event": "problem",
        "code": problem.code,
        "message": problem.detail,
        "retry": problem.kind.retry,
        **problem.members,
    }
    return frame if ref is None else {**frame, "ref": ref}
