"""The drain: a server that stops sends its watchers away, so that nobody notices more than a reconnect."""

import asyncio
import random

from services.pushserver.settings import PushServerSettings
from services.pushserver.subscriber import Subscriber
from services.pushserver.transports.reception import Reception
from shared.telemetry import logger

log = logger("drain")


class Drain:
    """In stages: the balancer is told, and given time to find out; then nobody is taken in, and each is sent away.

    That is: a `bookmark` and a `goaway`, at an even rate over `drain_s`, in no order. A reader that is behind has until
    the end of the window to catch up, and is told then how far it has come. Each goes by itself, or when its overlap
    is over: at most `reconnect_ms` + `overlap_ms` after the window.
    """

    def __init__(self, reception: Reception, settings: PushServerSettings) -> None:
        self._reception = reception
        self._overlap = reception.overlap
        self._settings = settings
        self.announced = False

    async def run(self) -> None:
        """Leave; the process may end when this returns."""
        self.announced = True
        log.info("leaving", waits_s=self._settings.drain_wait_s)
        await asyncio.sleep(self._settings.drain_wait_s)
        self._reception.leaving = True
        watchers = list(self._reception.hub.wheel)
        random.shuffle(watchers)
        log.info("sending watchers away", watchers=len(watchers), seconds=self._settings.drain_s)
        behind = await self._spread(watchers)
        for watcher in behind:
            self._overlap.send_away(watcher)
        log.info("all are sent away", behind=len(behind), still_here=len(self._overlap))
        await self._overlap.over()

    async def _spread(self, watchers: list[Subscriber]) -> list[Subscriber]:
        """Send away at an even rate whoever has all that there is; returns the others."""
        loop = asyncio.get_running_loop()
        began, pause_s = loop.time(), self._settings.drain_s / max(1, len(watchers))
        behind = []
        for number, watcher in enumerate(watchers):
            if watcher.caught_up and not watcher.blocked:
                self._overlap.send_away(watcher)
            else:
                behind.append(watcher)
            # By the clock, not by the pause: a timer's delay would add up.
            ahead_s = began + (number + 1) * pause_s - loop.time()
            if ahead_s > 0:
                await asyncio.sleep(ahead_s)
        return behind
