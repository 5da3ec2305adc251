"""What is to be watched, apart from how."""

from dataclasses import dataclass, replace
from typing import Any, Self
from urllib.parse import quote, urlencode

from shared.resource import Watch


@dataclass(frozen=True)
class TailRequest:
    """Watches at a server; `url` has no path. What is None is left to the server."""

    url: str
    watches: tuple[Watch, ...]
    mode: str | None = None
    format: str | None = None
    cursor: str | None = None
    since: str | None = None
    snapshot: bool = True

    def resumed(self, cursor: str | None) -> Self:
        """The same, going on from `cursor`; unchanged when there is none yet."""
        return self if cursor is None else replace(self, cursor=cursor, since=None)

    def target(self, verb: str, *more: tuple[str, str]) -> str:
        """The URL of all watches together; `verb` is `stream` or `poll`."""
        pairs = [("resource", watch.label) for watch in self.watches]
        pairs += [(name, value) for name, value in self._parameters().items() if value is not None]
        return f"{self.url}/v1/watch/{verb}?{urlencode([*pairs, *more], quote_via=quote)}"

    def socket_target(self) -> str:
        """The URL of the WebSocket that takes `operations`."""
        return f"{self.url}/v1/watch/ws" + (f"?format={quote(self.format)}" if self.format else "")

    def operations(self) -> list[dict[str, Any]]:
        """The WebSocket operations that ask for the same."""
        return [self._subscribe(watch) for watch in self.watches]

    def _parameters(self) -> dict[str, str | None]:
        return {
            "mode": self.mode,
            "format": self.format,
            "cursor": self.cursor,
            "since": self.since,
            "snapshot": None if self.snapshot else "false",
        }

    def _subscribe(self, watch: Watch) -> dict[str, Any]:
        members = {
            "op": "subscribe",
            "watch": watch.label,
            "mode": self.mode,
            "cursor": self.cursor,
            "since": self.since,
            "snapshot": None if self.snapshot else False,
        }
        return {name: value for name, value in members.items() if value is not None}
