"""The guard: ends each connection when the token behind it does."""

import asyncio
import time
from collections.abc import Callable
from math import ceil, inf
from typing import Final, NamedTuple

from services.pushserver import frames
from services.pushserver.close import REVOKED, TOKEN_EXPIRED, CloseReason
from services.pushserver.subscriber import Subscriber
from shared.principal import Principal
from shared.problem import Problem

WARNED_S: Final = 60
"""How long before its token expires a WebSocket is told."""
_RETRY_MS: Final = 100


class Guard:
    """Knows who watches by which token; costs nothing where nobody is asked for one.

    What has waited for a reader beyond its token's end is never sent. `clock` gives seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._known: dict[Subscriber, _Known] = {}
        self._due: dict[int, dict[Subscriber, None]] = {}
        self._looked_at = int(clock())

    def __len__(self) -> int:
        return len(self._known)

    def enter(self, subscriber: Subscriber, principal: Principal) -> None:
        """Watch over a connection; by a newer token, if it is known already."""
        self.leave(subscriber)
        if not subscriber.ended and principal.expires_at < inf:
            # Over a WebSocket, a token can be renewed where it is.
            ahead_s = 0 if subscriber.together else WARNED_S
            self._wait(subscriber, principal, principal.expires_at - ahead_s)

    def leave(self, subscriber: Subscriber) -> None:
        """Forget it; nothing happens when it isn't known."""
        known = self._known.pop(subscriber, None)
        if known is not None:
            waiting = self._due[known.due]
            del waiting[subscriber]
            if not waiting:
                del self._due[known.due]

    def revoke(self, concerned: Callable[[Principal], bool]) -> int:
        """End every connection of a token that is good no more; how many there were."""
        ended = [subscriber for subscriber, known in self._known.items() if concerned(known.principal)]
        for subscriber in ended:
            self.leave(subscriber)
            _end(subscriber, REVOKED, Problem("forbidden", "the token has been revoked"))
        return len(ended)

    async def run(self) -> None:
        """Look every second until cancelled."""
        while True:
            await asyncio.sleep(1 - self._clock() % 1)
            self.look()

    def look(self) -> None:
        """End and warn whose time has come."""
        now = self._looked_at = int(self._clock())
        for second in sorted(second for second in self._due if second <= now):
            for subscriber in list(self._due[second]):
                self._mind(subscriber, now)

    def _mind(self, subscriber: Subscriber, now: int) -> None:
        principal = self._known[subscriber].principal
        self.leave(subscriber)
        left_s = principal.expires_at - now
        if left_s <= 0:
            _end(subscriber, TOKEN_EXPIRED, Problem("token_expired", "the token has expired: come back with a new one"))
        else:
            subscriber.tell(frames.auth(int(left_s * 1000)))
            self._wait(subscriber, principal, principal.expires_at)

    def _wait(self, subscriber: Subscriber, principal: Principal, until_s: float) -> None:
        # Whose time has passed already is seen to with the next look.
        due = max(ceil(until_s), self._looked_at + 1)
        self._known[subscriber] = _Known(principal, due)
        self._due.setdefault(due, {})[subscriber] = None


class _Known(NamedTuple):
    principal: Principal
    due: int


def _end(subscriber: Subscriber, reason: CloseReason, problem: Problem) -> None:
    if (cursor := subscriber.cursor()) is not None:
        problem.members["cursor"] = cursor
    if subscriber.blocked:
        # Nothing that waits for it may leave any more, wherever it waits.
        subscriber.end(reason)
        subscriber.sink.cut()
        return
    subscriber.tell(frames.problem(problem), subscriber.wire.retry(_RETRY_MS))
    subscriber.end(reason)
