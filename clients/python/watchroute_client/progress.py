"""How far one watch has come: what was told, what is told again, and from where to go on."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from watchroute_client.change import Change
from watchroute_client.target import Target

Frame = Mapping[str, Any]
DATA: Final = frozenset({"put", "delete"})


class Progress:
    """Takes the frames of any connection, of any transport, and gives what the application hasn't been told yet.

    It holds the newest version of each resource, so its memory is that of the names that are watched.
    """

    def __init__(
        self,
        target: Target,
        *,
        mode: str = "state",
        cursor: str | None = None,
        since: str | None = None,
        snapshot: bool = True,
    ) -> None:
        self.target = target
        self.mode = mode
        self.cursor = cursor
        self.whole = False
        self.skipped = 0
        self.as_of: float | None = None
        self.expired = 0
        self._since = since
        self._snapshot = snapshot
        self._versions: dict[str, int] = {}
        self._there: set[str] = set()

    def request(self) -> dict[str, Any]:
        """The members of a `subscribe`, or the parameters of an address, that ask for what is missing."""
        asked: dict[str, Any] = {"mode": self.mode} if self.mode != "state" else {}
        if self.cursor is not None:
            return {**asked, "cursor": self.cursor}
        if self._since is not None:
            return {**asked, "since": self._since}
        return asked if self._snapshot else {**asked, "snapshot": False}

    def telling(self) -> set[str] | None:
        """What a connection that asks now shows of a whole snapshot, as it comes; None where it shows only a part."""
        return None if self.cursor or self._since or not self._snapshot else set()

    def on_change(self, frame: Frame, shown: set[str] | None) -> list[Change]:
        """What a `put` or `delete` tells, if it is news."""
        change = Change.of(frame)
        if shown is not None:
            shown.add(change.resource)
        if change.version <= self._versions.get(change.resource, -1):
            return []
        self._versions[change.resource] = change.version
        self._note(change)
        return [change]

    def on_reset(self, frame: Frame) -> list[Change]:
        """Continuity is broken: the state follows."""
        self._forget()
        return [Change("reset", reason=str(frame.get("reason")), frame=frame)]

    def on_synced(self, frame: Frame, shown: set[str] | None) -> list[Change]:
        """The initial state is told. One that was cut off before is told anew, and lacks what was deleted meanwhile."""
        missing = [] if shown is None else sorted(self._there - shown)
        deletes = [Change("delete", resource, self._versions[resource]) for resource in missing]
        self._there.difference_update(missing)
        self.on_cursor(frame.get("cursor"))
        self.expired = 0
        if self.whole and frame.get("resumed"):
            return deletes
        self.whole = True
        return [*deletes, Change("synced", resumed=bool(frame.get("resumed")), frame=frame)]

    def on_expired(self, cursor: str) -> list[Change]:
        """What came after its cursor is no longer kept: something was missed, and it goes on from another place."""
        self._forget()
        self.expired += 1
        self.cursor = cursor
        return [Change("reset", reason="expired")]

    def on_cursor(self, cursor: str | None) -> None:
        """Everything up to here was told."""
        if cursor:
            self.cursor = cursor
            self._there.clear()

    def on_bookmark(self, frame: Frame) -> None:
        """How fresh the server is, in seconds since 1970, and how many changes it has elided."""
        self.skipped += int(frame.get("skipped") or 0)
        if as_of := frame.get("as_of"):
            self.as_of = datetime.fromisoformat(as_of).timestamp()

    def _note(self, change: Change) -> None:
        """Keep what is there for as long as a snapshot may have to be told anew."""
        if change.event == "put" and self.cursor is None:
            self._there.add(change.resource)
        else:
            self._there.discard(change.resource)

    def _forget(self) -> None:
        self._versions.clear()
        self._there.clear()
        self.whole = False
        self.cursor = None
