"""The attacks: what one address can do to a push server, one attempt after another."""

import json
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from load.bench.crowd.request import get, upgrade
from load.floods.target import Line, Target

_UNREAD_BYTES: Final = 4096
_MASKED_TEXT: Final = 0x81
_SHORT: Final = 126
_UNDER_WAY: Final = 50
_TICKET: Final = (
    b"POST /v1/tickets HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Authorization: Bearer %b\r\nContent-Length: 60000\r\n\r\n"
)
_BAD: Final = b"GET /v1/calm/R0 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %b\r\n\r\n"


class Attack:
    """`step` is one attempt: it never waits."""

    def __init__(self, target: Target, token: bytes) -> None:
        self.target = target
        self.token = token

    def step(self) -> None:
        """Try once."""
        raise NotImplementedError


class Drip(Attack):
    """A thousand connections, each of which says `more` in its turn after its first words."""

    lines = 1000
    more = b"x: y\r\n"

    def __init__(self, target: Target, token: bytes) -> None:
        super().__init__(target, token)
        self._lines: deque[Line] = deque()

    def first(self) -> bytes:
        """What a connection begins with."""
        return b"GET /v1/calm/R0 HTTP/1.1\r\nHost: localhost\r\n"

    def step(self) -> None:
        """The next connection's turn, or a new one."""
        if len(self._lines) < self.lines:
            self._new()
            return
        line = self._lines.popleft()
        line.hear()
        if line.open:
            line.send(self.more)
        if line.open:
            self._lines.append(line)
        else:
            self._new()

    def _new(self) -> None:
        if (line := self.target.connect()) is not None:
            line.send(self.first())
            self._lines.append(line)


class SlowBody(Drip):
    """The same with bodies, of who shows a good token."""

    more = b" "

    def first(self) -> bytes:
        """A ticket is asked for."""
        return _TICKET % self.token


class Silence(Drip):
    """The same without a word."""

    more = b""

    def first(self) -> bytes:
        """Nothing."""
        return b""


class SlowRead(Attack):
    """Two hundred watchers of what changes all the time: they take no byte."""

    lines = 200

    def __init__(self, target: Target, token: bytes) -> None:
        super().__init__(target, token)
        self._lines: list[Line] = []

    def step(self) -> None:
        """One more."""
        if len(self._lines) < self.lines and (line := self.target.connect(receive_bytes=_UNREAD_BYTES)) is not None:
            line.send(get("/v1/busy/stream"))
            self._lines.append(line)


class Connections(Attack):
    """Connect and hang up."""

    def step(self) -> None:
        """One connection."""
        if (line := self.target.connect()) is not None:
            line.close()


class Refusals(Attack):
    """Requests with a token that nobody signed, on connections that stay."""

    def __init__(self, target: Target, token: bytes) -> None:
        super().__init__(target, token)
        self._lines: deque[Line] = deque()
        self._request = _BAD % (token[:-8] + b"AAAAAAAA")

    def step(self) -> None:
        """One request."""
        line = self._lines.popleft() if len(self._lines) >= _UNDER_WAY else self.target.connect()
        if line is None:
            return
        line.hear()
        if line.open:
            line.send(self._request)
        if line.open:
            self._lines.append(line)


class Reconnects(Attack):
    """Watch, hang up, and watch again."""

    def __init__(self, target: Target, token: bytes) -> None:
        super().__init__(target, token)
        self._lines: deque[Line] = deque()
        self._requests = (get("/v1/calm/R0/stream"), upgrade("/v1/calm/R0/ws"))
        self._number = 0

    def step(self) -> None:
        """One watch begins, and one ends."""
        self._number += 1
        if (line := self.target.connect()) is not None:
            line.send(self._requests[self._number % 2])
            self._lines.append(line)
        if len(self._lines) > _UNDER_WAY:
            oldest = self._lines.popleft()
            oldest.hear()
            oldest.close()


class Subscriptions(Attack):
    """One WebSocket that subscribes and unsubscribes without pause; once it is refused that, it is another one."""

    def __init__(self, target: Target, token: bytes) -> None:
        super().__init__(target, token)
        self._line: Line | None = None
        self._pair = _frame({"op": "subscribe", "watch": "calm/R0"}) + _frame({"op": "unsubscribe", "watch": "calm/R0"})

    def step(self) -> None:
        """Two operations."""
        if self._line is None or not self._line.open:
            self._line = self.target.connect()
            if self._line is not None:
                self._line.send(upgrade("/v1/watch/ws"))
            return
        if b"rate_limited" in self._line.hear():
            self._line.close()
        elif self._line.open:
            self._line.send(self._pair)


def _frame(operation: Mapping[str, str]) -> bytes:
    """A text frame, masked with zeros."""
    text = json.dumps(operation).encode()
    if len(text) >= _SHORT:
        raise ValueError("too long for a short frame")
    return bytes((_MASKED_TEXT, 0x80 | len(text), 0, 0, 0, 0)) + text


class Plan(NamedTuple):
    """An attack, how many attempts it makes in a second, and what it is."""

    make: Callable[[Target, bytes], Attack]
    per_s: float
    what: str


PLANS: Final[Mapping[str, Plan]] = {
    "slow-header": Plan(Drip, 1000, "1 000 connections, a field a second each"),
    "slow-body": Plan(SlowBody, 1000, "1 000 bodies for a ticket, a byte a second each"),
    "silence": Plan(Silence, 1000, "1 000 connections that say nothing"),
    "slow-read": Plan(SlowRead, 200, "200 watchers of a busy collection who don't read"),
    "connections": Plan(Connections, 5000, "connect, hang up"),
    "refusals": Plan(Refusals, 3000, "requests with a bad token"),
    "reconnects": Plan(Reconnects, 3000, "watch, hang up"),
    "subscriptions": Plan(
        Subscriptions, 5000, "one WebSocket that subscribes and unsubscribes, and comes back when it is refused"
    ),
}
