"""The watches that share one connection: how it is made, replaced, lost and made again."""

from math import inf
from typing import Any, Final

from watchroute_client.backoff import Backoff
from watchroute_client.link import Link, ws_address
from watchroute_client.outputs import AskToken, Close, Connect, Deliver, End, Send
from watchroute_client.problem import FATAL, UNAUTHENTICATED, WatchError
from watchroute_client.progress import Progress
from watchroute_client.state import State, Status
from watchroute_client.surroundings import Surroundings

_NO_ANSWER: Final = frozenset({"", "unreachable", "upgrade_required"})
"""Codes that say that the way to a server is barred, and not that a server refuses."""


class Lane:
    """A WebSocket for all of its watches, or a stream or polls for its one.

    `link` is what tells now; `following` is the connection that is to take its place (make before break).
    """

    def __init__(
        self,
        around: Surroundings,
        watches: list[Progress],
        backoff: Backoff | None = None,
        transport: str | None = None,
    ) -> None:
        self.around = around
        self.transport = transport or around.negotiation.transport
        self.watches = watches
        self.link: Link | None = None
        self.following: Link | None = None
        self.due_at: float | None = around.clock()
        self.reason = ""
        self.failed: WatchError | None = None
        self.backoff = backoff or Backoff(around.random)
        self._polled = self._moving = self._reauthenticated = False

    @property
    def links(self) -> list[Link]:
        """Those that are open or being opened, the newest last."""
        return [link for link in (self.link, self.following) if link is not None]

    @property
    def status(self) -> Status:
        """As if there were no other lane."""
        if self.link is not None:
            return Status(State.LIVE if self.link.caught_up else State.CATCHING_UP)
        if self._polled:
            return Status(State.LIVE)
        if self._moving:
            return Status(State.CATCHING_UP, "the server has left")
        return Status(State.OFFLINE if self.following is None else State.CONNECTING, self.reason)

    def deadline(self) -> float | None:
        """When `on_time` has something to do."""
        times = [time for link in self.links for time in (link.dead_at(), link.replace_at)]
        times += [at for link in self.links if (at := link.watches.retry_at) is not None]
        if self.due_at is not None and not self.around.tokens.asking:
            times.append(self.due_at)
        return min(times, default=None)

    def on_time(self) -> None:
        """Do what is due."""
        now = self.around.clock()
        for link in self.links:
            if link.dead_at() <= now:
                self._silent(link)
            else:
                self.mind(link)
        if self.due_at is not None and self.due_at <= now:
            self.attempt()

    def attempt(self) -> None:
        """Open a connection, once there is a token to show."""
        now, interval_s = self.around.clock(), self.around.interval_s
        if self.around.tokens.wanted(now):
            self.due_at = now
            self.ask_token()
            return
        self.due_at = None
        self.around.connections += 1
        link = self.following = Link(self.around.connections, self.transport, now, interval_s)
        self.around.put(Connect(link.number, self.transport, self._address(link), self.around.tokens.value))

    def ask_token(self) -> None:
        """Call the callback, unless it is being called."""
        if not self.around.tokens.asking:
            self.around.tokens.asking = True
            self.around.put(AskToken())

    def on_opened(self, link: Link) -> None:
        """The connection stands: ask for everything."""
        link.opened = True
        if link.transport == "sse":
            # A stream can't take another token: the next one is opened before this one is over.
            link.replace_at = self.around.tokens.late_at
        self.around.negotiation.opened(link.transport)
        link.hear(self.around.clock())
        if self.link is None:
            self.link, self.following = link, None
        if link.transport == "ws":
            for watch in self.watches:
                self.subscribe(link, watch)

    def subscribe(self, link: Link, watch: Progress) -> None:
        """Ask for a watch over a WebSocket."""
        self.around.put(Send(link.number, link.ask(watch)))

    def on_caught_up(self, link: Link) -> None:
        """Everything is told over it: what it replaces is let go."""
        self.backoff.worked()
        self._moving = self._reauthenticated = False
        self.reason = ""
        self.take_over(link)

    def take_over(self, link: Link) -> None:
        """Let go what this connection replaces, if it does."""
        if link is self.following:
            if self.link is not None:
                self.around.put(Close(self.link.number))
            self.link, self.following = link, None

    def drop(self, watch: Progress, error: WatchError) -> None:
        """A watch of several is refused for good."""
        self.failed = error
        self.around.put(End(watch, error))
        for link in self.links:
            link.watches.remove(watch)
        self.watches.remove(watch)
        self._close_if_unused()

    def on_answered(self) -> None:
        """A poll was answered: ask for what comes next."""
        self.backoff.worked()
        self.following = self.link = None
        self._polled, self._moving, self._reauthenticated = True, False, False
        self.attempt()

    def on_goaway(self, link: Link, reconnect_s: float) -> None:
        """The server leaves: after so long, and not before, the next connection is opened."""
        link.leaving = self._moving = True
        if self.following is None:
            self.due_at = self.around.clock() + reconnect_s

    def change(self, transport: str) -> None:
        """Go over to another transport: what tells now is let go when that has caught up."""
        self.transport = transport
        if self.link is not None:
            self.on_goaway(self.link, 0.0)
            self.on_time()

    def on_lost(self, link: Link, error: WatchError) -> None:
        """A connection is over, or an attempt has failed: what becomes of its watches, and when to try again."""
        self._polled = False
        self._moving = self._moving and link.leaving
        self._drop(link)
        self.reason = str(error)
        if self._hopeless(error):
            self.end(error)
        elif error.code in UNAUTHENTICATED:
            self._reauthenticated = True
            self.around.tokens.refuse()
            self._come_back(0.0)
        elif link.leaving:
            self._come_back(None)
        else:
            self._negotiate(link, error)
            self._come_back(self._pause_s(link, error))

    def on_token(self) -> None:
        """There is a token: show it where it was asked for."""
        for link in self.links:
            if link.renewing:
                link.renewing = False
                operation = {"op": "auth", "token": self.around.tokens.value, "ref": link.ref()}
                self.around.put(Send(link.number, operation))
            for watch in list(link.watches):
                if link.watches[watch].renewed and not link.watches.is_synced(watch):
                    self.subscribe(link, watch)
                    link.watches[watch].renewed = True
        if self.due_at is not None and self.due_at <= self.around.clock():
            self.attempt()

    def on_no_token(self, why: str) -> None:
        """The callback failed: ask again later."""
        self.reason = why
        if self.due_at is not None:
            self.due_at = self.around.clock() + self.pause_s()

    def pause_s(self) -> float:
        """Count a failure; how long to wait."""
        return self.backoff.failed()

    def end(self, error: WatchError) -> None:
        """No watch of it goes on."""
        self.failed = error
        self.around.put(*(Close(link.number) for link in self.links), *(End(watch, error) for watch in self.watches))
        self._stop()
        self.watches = []

    def remove(self, watch: Progress) -> None:
        """Nobody wants it any more."""
        self.failed = None
        self.watches.remove(watch)
        for link in self.links:
            if link.watches.remove(watch) and link.transport == "ws" and self.watches:
                operation: dict[str, Any] = {"op": "unsubscribe", "watch": watch.target.label, "ref": link.ref()}
                self.around.put(Send(link.number, operation))
        self._close_if_unused()

    def _close_if_unused(self) -> None:
        if not self.watches:
            self.around.put(*(Close(link.number) for link in self.links))
            self._stop()

    def _address(self, link: Link) -> str:
        if self.transport == "ws":
            return ws_address(self.around.parameters)
        return link.address(self.watches[0], self.around.parameters, wait=self._polled)

    def _hopeless(self, error: WatchError) -> bool:
        """Whether no further attempt makes sense."""
        if error.code in UNAUTHENTICATED:
            return not self.around.tokens.renewable or self._reauthenticated
        return error.code in FATAL or (error.code == "expired" and not self._go_on_from(error))

    def _go_on_from(self, error: WatchError) -> bool:
        if error.cursor is None:
            return False
        for watch in self.watches:
            self.around.put(*(Deliver(watch, change) for change in watch.on_expired(error.cursor)))
        return True

    def _negotiate(self, link: Link, error: WatchError) -> None:
        """Learn from it whether this transport can be had."""
        negotiation = self.around.negotiation
        if error.code not in _NO_ANSWER:
            negotiation.opened(link.transport)
        elif not link.opened:
            negotiation.failed_to_open(link.transport)

    def _pause_s(self, link: Link, error: WatchError) -> float:
        """What the server asked for, else a backoff; either counts as a failure."""
        backoff_s = self.pause_s()
        told_s = error.retry_after_s if error.retry_after_s is not None else link.retry_s
        return backoff_s if told_s is None else told_s

    def _silent(self, link: Link) -> None:
        """Leave a connection behind that says nothing, or an attempt that isn't answered."""
        self.around.put(Close(link.number))
        self.around.negotiation.was_silent(link.transport)
        self.on_lost(link, WatchError("silent", "nothing was heard for too long"))

    def mind(self, link: Link) -> None:
        """Replace it if its token ends, and ask again for what was refused for a while."""
        now = self.around.clock()
        if link.replace_at <= now:
            link.replace_at = inf
            self.on_goaway(link, 0.0)
        for watch in link.watches.due(now):
            self.subscribe(link, watch)

    def _come_back(self, pause_s: float | None) -> None:
        """Try again after so long, unless something is on its way."""
        needed = self.link is None or self.link.leaving
        if pause_s is not None and needed and self.following is None and self.due_at is None:
            self.due_at = self.around.clock() + pause_s

    def _stop(self) -> None:
        self.link = self.following = None
        self.due_at = None

    def _drop(self, link: Link) -> None:
        if link is self.following:
            self.following = None
        elif link is self.link:
            self.link = None
            if self.following is not None and self.following.opened:
                self.link, self.following = self.following, None


def fits(lane: Lane, watch: Progress) -> bool:
    """Whether a server takes this watch on the connection of the others: they may overlap in state mode only."""
    return all(
        other.target != watch.target
        and ("log" not in {other.mode, watch.mode} or not other.target.overlaps(watch.target))
        for other in lane.watches
    )
