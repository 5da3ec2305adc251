"""The overlap: who is sent away is told everything until its next connection has taken this one's place."""

import asyncio
import heapq
import random
import time
from collections.abc import Callable
from itertools import count
from typing import Final

from services.pushserver.close import GOING_AWAY, CloseReason
from services.pushserver.settings import PushServerSettings
from services.pushserver.subscriber import Subscriber

_LOOK_S: Final = 0.05
_RETRY_MS: Final = 100
"""Within so long an `EventSource` comes back, which can't have the next connection first: deadlines are spread."""


class Overlap:
    """Those who were told `goaway` and are still here, each until a deadline of its own.

    That is `overlap_ms` after the moment at which it is to come back; most have gone by then. Nobody else costs
    anything, and one timer is for all. `clock` gives seconds.
    """

    def __init__(self, settings: PushServerSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._reasons: dict[Subscriber, CloseReason] = {}
        self._deadlines: list[tuple[float, int, Subscriber]] = []
        self._numbers = count()
        self._somebody = asyncio.Event()
        self._nobody = asyncio.Event()
        self._nobody.set()

    def __len__(self) -> int:
        return len(self._reasons)

    def reason_of(self, subscriber: Subscriber, otherwise: CloseReason) -> CloseReason:
        """Why its connection ends when the client ends it: it was sent away, or, of its own accord, `otherwise`."""
        return self._reasons.get(subscriber, otherwise)

    def send_away(self, subscriber: Subscriber, reason: CloseReason = GOING_AWAY) -> None:
        """Tell it when to come back, and end it after that; nothing happens to who was told before.

        A poll, which is asked anew anyhow, is answered at once.
        """
        if subscriber.ended or subscriber in self._reasons:
            return
        reconnect_in_ms = random.randint(0, self._settings.reconnect_ms)  # noqa: S311 -- spreads load
        at_once = subscriber.quiet or not self._settings.overlap_ms
        subscriber.go_away(reconnect_in_ms, at_once=at_once)
        if at_once:
            subscriber.end(reason)
            return
        deadline_s = self._clock() + (reconnect_in_ms + self._settings.overlap_ms) / 1000
        heapq.heappush(self._deadlines, (deadline_s, next(self._numbers), subscriber))
        self._reasons[subscriber] = reason
        self._say_whether_anybody()

    def leave(self, subscriber: Subscriber) -> None:
        """Forget it: its connection is gone."""
        if self._reasons.pop(subscriber, None) is not None:
            self._say_whether_anybody()

    async def run(self) -> None:
        """Look for as long as there is anybody, until cancelled."""
        while True:
            await self._somebody.wait()
            await asyncio.sleep(_LOOK_S)
            self.look()

    async def over(self) -> None:
        """Return when everybody who was sent away has gone, or was ended: with the last deadline at the latest."""
        await self._nobody.wait()

    def look(self) -> None:
        """End those whose time is over."""
        now = self._clock()
        while self._deadlines and self._deadlines[0][0] <= now:
            subscriber = heapq.heappop(self._deadlines)[2]
            if (reason := self._reasons.pop(subscriber, None)) is not None:
                # What was told since the `goaway` needn't be told again.
                retry = subscriber.wire.retry(random.randint(0, _RETRY_MS))  # noqa: S311 -- spreads load
                subscriber.bookmark(before=retry)
                subscriber.end(reason)
        self._say_whether_anybody()

    def _say_whether_anybody(self) -> None:
        for event, is_so in ((self._somebody, bool(self._reasons)), (self._nobody, not self._reasons)):
            if is_so:
                event.set()
            else:
                event.clear()
