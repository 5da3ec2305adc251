"""One connection, or the attempt at one, as the state machine sees it."""

from collections.abc import Mapping
from math import inf
from typing import Any, Final

from watchroute_client.problem import WatchError
from watchroute_client.progress import Progress
from watchroute_client.roster import Roster

FIRST_INTERVAL_S: Final = 15.0
_SILENT_INTERVALS: Final = 3
_LEAST_SILENCE_S: Final = 3.0
_WATCH_PATH: Final = "/v1/watch/ws"
_POLL_WAIT_S: Final = 25
_VERBS: Final = {"sse": "stream", "poll": "poll"}


class Link:
    """`watches` are those that were asked for on it; `problem` is what the server said last, before it ends."""

    def __init__(self, number: int, transport: str, now: float, interval_s: float) -> None:
        self.number = number
        self.transport = transport
        self.opened = self.leaving = self.renewing = self.paused = False
        self.problem: WatchError | None = None
        self.retry_s: float | None = None
        self.replace_at = inf
        self.watches = Roster()
        self.interval_s = self._interval_before_s = interval_s
        self._heard_at = now
        self._bookmark_at: float | None = None
        self._longest_s = 0.0
        self._refs = 0

    def __repr__(self) -> str:
        """What a debugger shows."""
        marks = "".join(mark for mark in ("opened", "leaving", "paused") if getattr(self, mark))
        return f"<Link {self.number} {self.transport} {marks} {len(self.watches)} watches>"

    @property
    def caught_up(self) -> bool:
        """Whether everything on it is told."""
        return self.opened and self.watches.caught_up

    def address(self, watch: Progress, shared: Mapping[str, str], *, wait: bool) -> str:
        """Where to ask for the one watch of an event stream, or of polls.

        A poll that may not `wait` is answered at once: so it is known that the server takes its cursor.
        """
        parameters = {name: _text(value) for name, value in watch.request().items()}
        if self.transport == "poll":
            parameters["wait"] = str(_POLL_WAIT_S if wait else 0)
        self.ask(watch)
        return watch.target.address(_VERBS[self.transport], {**parameters, **shared})

    def ask(self, watch: Progress) -> dict[str, Any]:
        """The `subscribe` of a watch."""
        self._refs += 1
        self.watches.add(watch, self._refs)
        return {"op": "subscribe", "watch": watch.target.label, **watch.request(), "ref": self._refs}

    def ref(self) -> int:
        """A number for an operation that is no `subscribe`."""
        self._refs += 1
        return self._refs

    def hear(self, now: float) -> None:
        """Something came."""
        self._heard_at = now

    def bookmark(self, now: float) -> None:
        """A heartbeat came: learn how often they do. From a `goaway` on they come early."""
        if self.leaving:
            return
        if self._bookmark_at is not None:
            self._interval_before_s = self.interval_s
            self._longest_s = max(self._longest_s, now - self._bookmark_at)
            self.interval_s = self._longest_s
        self._bookmark_at = now

    def goes_away(self) -> None:
        """The server leaves: the bookmark that it has just said came early."""
        self.interval_s = self._interval_before_s

    def dead_at(self) -> float:
        """When silence says that it is dead."""
        if self.paused:
            return inf
        return self._heard_at + max(_LEAST_SILENCE_S, _SILENT_INTERVALS * self.interval_s)


def ws_address(shared: Mapping[str, str]) -> str:
    """Where a WebSocket for several watches is."""
    query = "&".join(f"{name}={value}" for name, value in shared.items())
    return _WATCH_PATH + (f"?{query}" if query else "")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
