"""A live table of what is watched."""

import time
from typing import Final

from rich.table import Table
from rich.text import Text

from cli.terminal import compact, printable
from watchroute_client import Change, Status

_FRESH_S: Final = 2.0


class Board:
    """The newest state of each resource, the latest changes marked; with more than fit, those that changed last."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._rows: dict[str, tuple[Change, float]] = {}
        self._coming: dict[str, tuple[Change, float]] | None = None
        self.status: Status | None = None

    def __len__(self) -> int:
        return len(self._rows)

    def take(self, change: Change) -> None:
        """Take what a watch has told."""
        rows = self._rows if self._coming is None else self._coming
        match change.event:
            case "put":
                # The newest last: it is kept in the order of change.
                rows.pop(change.resource, None)
                rows[change.resource] = change, time.monotonic()
            case "delete":
                rows.pop(change.resource, None)
            case "reset":
                self._coming = {}
            case "synced" if self._coming is not None:
                self._rows, self._coming = self._coming, None

    def table(self, height: int | None = None) -> Table:
        """The table as it is now, at most `height` rows of it."""
        shown = list(self._rows.values())[-height if height else 0 :]
        hidden = len(self._rows) - len(shown)
        table = Table(title=Text(printable(self._title)), caption=self._caption(hidden), expand=True)
        for column, share in (("resource", 2), ("version", 1), ("time", 2), ("data", 6)):
            table.add_column(column, ratio=share, no_wrap=True, overflow="ellipsis")
        now = time.monotonic()
        for change, at in sorted(shown, key=lambda row: row[0].resource):
            style = "bold green" if height and now - at < _FRESH_S else ""
            cells = (change.resource, str(change.version), change.time or "", compact(change.data))
            table.add_row(*(Text(printable(cell)) for cell in cells), style=style)
        return table

    def _caption(self, hidden: int) -> Text:
        state = "" if self.status is None else f"{self.status.state} {self.status.reason}".strip()
        more = f"and {hidden} that changed earlier" if hidden else ""
        return Text(printable(", ".join(filter(None, (state, more)))))
