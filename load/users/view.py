"""A watch as its client sees it: frames in, findings out, and the cursor to come back with."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from load.users.account import Account, Kind
from load.users.specimen import Stamp

MOST_LOST: Final = 1000
"""A gap counts as so many losses at most, so that one mistake doesn't take minutes to write down."""


class Finding(NamedTuple):
    """Something to be counted: `what` names the row, `times` how often, `sent_ns` since when for a delivery."""

    what: str
    times: int = 1
    sent_ns: int | None = None


class View:
    """The frames of one watch over its connections.

    `cursor` is the newest from which nothing is missing, None before there is one; `hint_ms` the pause that the server
    asked for; `synced` says that what comes now is live.
    """

    def __init__(self, account: Account) -> None:
        self.account = account
        self.cursor: str | None = None
        self.hint_ms: int | None = None
        self.synced = False
        self._resuming = False

    def connect(self) -> None:
        """A connection begins, with the cursor where there is one."""
        self.synced = False
        self.hint_ms = None
        self._resuming = self.cursor is not None
        if self.cursor is None:
            self.account.forget()
        else:
            self.account.connect()

    def drop_cursor(self) -> None:
        """The next connection begins anew."""
        self.cursor = None

    def expired(self, cursor: str | None) -> Finding:
        """Continuity is over, and the watch was told so, with the oldest usable cursor."""
        self.account.forget()
        self.cursor = cursor
        return Finding("expired")

    def on_frame(self, frame: Mapping[str, Any]) -> Iterator[Finding]:
        """What there is to count in a frame."""
        match frame["event"]:
            case "put" | "delete":
                yield from self._on_change(frame)
            case "reset":
                self.account.forget()
                self.cursor, self.synced, self._resuming = None, False, False
                yield Finding(f"reset {frame['reason']}")
            case "synced":
                self.synced = True
                self.cursor = frame["cursor"] or self.cursor
            case "bookmark":
                self.cursor = frame["cursor"] or self.cursor
            case "goaway":
                self.cursor = frame["cursor"] or self.cursor
                self.hint_ms = frame["reconnect_in_ms"]
                yield Finding("goaway")
            case "problem":
                yield from self._on_problem(frame)

    def _on_change(self, frame: Mapping[str, Any]) -> Iterator[Finding]:
        stamp = Stamp.of(frame.get("data"))
        kind, lost = self.account.note(frame["resource"], int(frame["version"]), stamp)
        if lost:
            yield Finding("lost", min(lost, MOST_LOST))
        if kind is not Kind.NEW:
            yield Finding(kind.value)
        elif stamp:
            yield from self._delivery(stamp)

    def _delivery(self, stamp: Stamp) -> Iterator[Finding]:
        """Live, or told on the way back; the snapshot of a newcomer is as old as it is."""
        if self.synced:
            yield Finding("deliver", sent_ns=stamp.sent_ns)
        elif self._resuming:
            yield Finding("catch up", sent_ns=stamp.sent_ns)

    def _on_problem(self, frame: Mapping[str, Any]) -> Iterator[Finding]:
        if frame["code"] == "expired":
            yield self.expired(frame.get("cursor"))
            return
        self.cursor = frame.get("cursor") or self.cursor
        yield Finding(f"problem {frame['code']}")
