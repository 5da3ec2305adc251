"""The one timer: turns the hub's wheel, so that each connection gets its bookmark, and no reader stalls for ever."""

import asyncio
import random

from services.pushserver.hub import Hub
from services.pushserver.settings import PushServerSettings
from services.pushserver.wheel import SLOTS


class Heartbeat:
    """Runs until it is cancelled."""

    def __init__(self, hub: Hub, settings: PushServerSettings) -> None:
        self._hub = hub
        self._settings = settings

    async def run(self) -> None:
        """Turn for ever."""
        loop = asyncio.get_running_loop()
        turn_s = self._settings.bookmark_interval_s / SLOTS
        due = loop.time() + turn_s
        while True:
            await asyncio.sleep(max(0.0, due - loop.time()))
            now = loop.time()
            due = max(due + turn_s, now)
            for subscriber in self._hub.wheel.turn():
                subscriber.tick()
                subscriber.sink.mind_stall(now, self._settings.stalled_s)
                if self._is_old_enough() and subscriber.caught_up:
                    subscriber.go_away(random.randint(0, self._settings.reconnect_ms))  # noqa: S311 -- spreads load

    def _is_old_enough(self) -> bool:
        """By chance, once in `mean_age_s` for each connection on average: nobody needs to know how old it is."""
        mean_age_s = self._settings.mean_age_s
        return mean_age_s > 0 and random.random() < self._settings.bookmark_interval_s / mean_age_s  # noqa: S311
