"""The one timer: turns the hub's wheel, so that each connection gets its bookmark, and no reader stalls for ever."""

import asyncio

from services.pushserver.hub import Hub
from services.pushserver.settings import PushServerSettings
from services.pushserver.wheel import SLOTS


class Heartbeat:
    """Runs until it is cancelled."""

    def __init__(self, hub: Hub, settings: PushServerSettings) -> None:
        self._hub = hub
        self._settings = settings
        self.late_s = 0.0

    async def run(self) -> None:
        """Turn for ever; `late_s` is how late the loop let the last turn happen."""
        loop = asyncio.get_running_loop()
        turn_s = self._settings.bookmark_interval_s / SLOTS
        due = loop.time() + turn_s
        while True:
            await asyncio.sleep(max(0.0, due - loop.time()))
            now = loop.time()
            self.late_s = now - due
            due = max(due + turn_s, now)
            for subscriber in self._hub.wheel.turn():
                subscriber.tick()
                subscriber.sink.mind_stall(now, self._settings.stalled_s)
