"""One connection, or the attempt at one, as the state machine sees it."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any, Final

from watchroute_client.problem import WatchError
from watchroute_client.progress import Progress

FIRST_INTERVAL_S: Final = 15.0
_SILENT_INTERVALS: Final = 3
_LEAST_SILENCE_S: Final = 3.0
_WATCH_PATH: Final = "/v1/watch/ws"
_POLL_WAIT_S: Final = 25
_VERBS: Final = {"sse": "stream", "poll": "poll"}


@dataclass(slots=True)
class Asked:
    """One watch on one connection.

    `shown` is what of a snapshot was told; `retry_at`: when to ask again for what was refused for now.
    """

    ref: int
    shown: set[str] | None
    synced: bool = False
    retry_at: float | None = None
    renewed: bool = False


class Link:
    """`watches` are those that were asked for on it; `problem` is what the server said last, before it ends."""

    def __init__(self, number: int, transport: str, now: float, interval_s: float) -> None:
        self.number = number
        self.transport = transport
        self.opened = self.leaving = self.renewing = self.paused = False
        self.problem: WatchError | None = None
        self.retry_s: float | None = None
        self.watches: dict[Progress, Asked] = {}
        self.interval_s = interval_s
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
        return self.opened and all(asked.synced for asked in self.watches.values())

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
        self.watches[watch] = Asked(self._refs, watch.telling())
        return {"op": "subscribe", "watch": watch.target.label, **watch.request(), "ref": self._refs}

    def ref(self) -> int:
        """A number for an operation that is no `subscribe`."""
        self._refs += 1
        return self._refs

    def hear(self, now: float) -> None:
        """Something came."""
        self._heard_at = now

    def bookmark(self, now: float) -> None:
        """A heartbeat came: learn how often they do. One before a close comes early, so the longest pause counts."""
        if self._bookmark_at is not None:
            self._longest_s = max(self._longest_s, now - self._bookmark_at)
            self.interval_s = self._longest_s
        self._bookmark_at = now

    def dead_at(self) -> float:
        """When silence says that it is dead."""
        if self.paused:
            return inf
        return self._heard_at + max(_LEAST_SILENCE_S, _SILENT_INTERVALS * self.interval_s)

    def find(self, frame: Mapping[str, Any]) -> Progress | None:
        """The watch that a `synced`, `reset` or `problem` is about: by its `ref`, else by its label."""
        label, ref = frame.get("watch"), frame.get("ref")
        for watch, asked in self.watches.items():
            if ref is not None and asked.ref == ref:
                return watch
        if ref is not None and frame.get("event") == "synced":
            return None
        return next((watch for watch in self.watches if watch.target.label == label), None)


def ws_address(shared: Mapping[str, str]) -> str:
    """Where a WebSocket for several watches is."""
    query = "&".join(f"{name}={value}" for name, value in shared.items())
    return _WATCH_PATH + (f"?{query}" if query else "")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
