"""What the state machine wants done: values, in the order in which they are to be done."""

from typing import Any, NamedTuple

from watchroute_client.change import Change
from watchroute_client.problem import WatchError
from watchroute_client.progress import Progress


class Connect(NamedTuple):
    """Open a connection: `address` is its path and query."""

    number: int
    transport: str
    address: str
    token: str | None

    def __repr__(self) -> str:
        """Without the token."""
        return f"Connect({self.number}, {self.transport!r}, {self.address!r})"


class Send(NamedTuple):
    """Send an operation over a WebSocket."""

    number: int
    operation: dict[str, Any]

    def __repr__(self) -> str:
        """Without what may be a token."""
        return f"Send({self.number}, {self.operation.get('op')!r})"


class Close(NamedTuple):
    """Close a connection, or give up the attempt; nothing more is to be heard of it."""

    number: int


class AskToken(NamedTuple):
    """Call the token callback."""


class Deliver(NamedTuple):
    """Tell the application."""

    watch: Progress
    change: Change


class End(NamedTuple):
    """A watch has ended, and won't go on."""

    watch: Progress
    error: WatchError


Output = Connect | Send | Close | AskToken | Deliver | End
