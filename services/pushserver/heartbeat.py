"""The one timer: turns the hub's wheel, so that each connection gets its bookmark, and no reader stalls for ever.

Who is old enough, or one too many, or came through a door that leaves, is sent away in its turn: that spreads them by
itself.
"""

import asyncio
import random

from services.pushserver.close import DOOR_LEFT, GOING_AWAY, LEVELLED, CloseReason
from services.pushserver.doors import Door, Doors
from services.pushserver.hub import Hub
from services.pushserver.overlap import Overlap
from services.pushserver.settings import PushServerSettings
from services.pushserver.share import Share
from services.pushserver.wheel import SLOTS


class Heartbeat:
    """Runs until it is cancelled."""

    def __init__(self, hub: Hub, share: Share, doors: Doors, overlap: Overlap, settings: PushServerSettings) -> None:
        self._hub = hub
        self._overlap = overlap
        self._share = share
        self._doors = doors
        self._settings = settings

    async def run(self) -> None:
        """Turn for ever."""
        loop = asyncio.get_running_loop()
        turn_s = self._settings.bookmark_interval_s / SLOTS
        due = loop.time() + turn_s
        while True:
            await asyncio.sleep(max(0.0, due - loop.time()))
            now = loop.time()
            self._mind_doors(now, now - due)
            due = max(due + turn_s, now)
            staying = len(self._hub.wheel) - len(self._overlap)
            surplus_per_s = self._share.leaving_per_s(staying, now)
            for subscriber in self._hub.wheel.turn():
                subscriber.tick()
                subscriber.sink.mind_stall(now, self._settings.stalled_s)
                reason = self._why_leave(subscriber.door, surplus_per_s)
                if reason is not None and subscriber.caught_up:
                    self._overlap.send_away(subscriber, reason)

    def _mind_doors(self, now_s: float, late_s: float) -> None:
        """Have everybody's turn to leave come within one interval, spread evenly over it."""
        if fell_silent := self._doors.look(now_s, late_s):
            wheel = self._hub.wheel
            wheel.scatter([subscriber for subscriber in wheel if subscriber.door in fell_silent])

    def _why_leave(self, door: Door | None, surplus_per_s: float) -> CloseReason | None:
        """By its door; by chance: the surplus, and each once in `mean_age_s` on average, whatever its age is."""
        if door is not None and door.leaving:
            return DOOR_LEFT
        # Its turn comes once in an interval.
        interval_s, mean_age_s = self._settings.bookmark_interval_s, self._settings.mean_age_s
        if random.random() < surplus_per_s * interval_s:  # noqa: S311 -- spreads load
            return LEVELLED
        if mean_age_s > 0 and random.random() < interval_s / mean_age_s:  # noqa: S311 -- spreads load
            return GOING_AWAY
        return None
