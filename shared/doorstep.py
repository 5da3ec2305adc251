"""The doorstep: connections that have not delivered what they owe, and those of which no request was admitted yet.

Who stands there has shown nothing, neither a token nor even a request, and costs memory all the same. So there is room
for so many, and each has so long for a head.
"""

import asyncio
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, Final, Literal, NamedTuple, Protocol

EXTENSION: Final = "watchroute.admitted"
"""The name of the ASGI extension by which an app says that it has admitted a request."""
Reason = Literal["too_many", "silent", "slow_head", "slow_body", "long_head", "pipelined", "no_http"]
"""Why somebody is turned away."""
_LOOKS: Final = 10
"""How often it looks while a head may take to arrive."""
_AT_ONCE: Final = 16
"""How many are turned away in one turn of the loop, at 40 µs each: those who came together are late together."""


class Limits(NamedTuple):
    """What is asked of a connection before anything is known of it."""

    head_timeout_s: float = 10
    max_head_bytes: int = 32_768
    max_unanswered: int = 8000


class Visitor(Protocol):
    """A connection, as the doorstep sees it."""

    def on_late(self) -> bool:
        """Called when its time is over. False: it isn't the client that is late, so it gets its time anew."""


class Doorstep:
    """Knows who owes the rest of a request, and how many are strangers.

    There is no timer for each connection, but one look after another at those who came first, and none while nobody
    owes anything. Time is counted in looks: what passes while this process doesn't run is nobody's fault.
    `count` is told the reason whenever somebody is turned away.
    """

    def __init__(self, limits: Limits = Limits(), count: Callable[[Reason], None] = lambda _: None) -> None:  # noqa: B008 -- immutable
        self.limits = limits
        self.count = count
        self._strangers: set[object] = set()
        self._due: dict[Visitor, int] = {}
        self._look = 0
        self._looking = False

    def __len__(self) -> int:
        return len(self._due)

    @property
    def strangers(self) -> int:
        """How many connections there are of which no request was admitted yet."""
        return len(self._strangers)

    def let_in(self, connection: object) -> bool:
        """Count a new connection as a stranger; False when there is no room for one more."""
        if len(self._strangers) >= self.limits.max_unanswered:
            return False
        self._strangers.add(connection)
        return True

    def admit(self, connection: object) -> None:
        """It is no stranger any more: a request of it was admitted, or it is gone."""
        self._strangers.discard(connection)

    def expect(self, visitor: Visitor) -> None:
        """It owes the rest of a request; who owes it already gets no more time by that."""
        if visitor in self._due:
            return
        # The next look may be at once, and doesn't count.
        self._due[visitor] = self._look + _LOOKS + 1
        if not self._looking:
            self._looking = True
            self._look_later()

    def leave(self, visitor: Visitor) -> None:
        """It owes nothing, or is gone."""
        self._due.pop(visitor, None)

    def _look_later(self) -> None:
        asyncio.get_running_loop().call_later(self.limits.head_timeout_s / _LOOKS, self._look_round)

    def _look_round(self) -> None:
        self._look += 1
        self._turn_away_some()

    def _turn_away_some(self) -> None:
        late = [visitor for visitor, due in islice(self._due.items(), _AT_ONCE) if due <= self._look]
        for visitor in late:
            self.leave(visitor)
            if not visitor.on_late():
                self.expect(visitor)
        if len(late) == _AT_ONCE:
            asyncio.get_running_loop().call_soon(self._turn_away_some)
        elif self._due:
            self._look_later()
        else:
            self._looking = False


def admitted(scope: Mapping[str, Any]) -> None:
    """Say that what `scope` asks was admitted: whoever is behind it is no stranger."""
    tell = scope.get("extensions", {}).get(EXTENSION)
    if tell is not None:
        tell()
