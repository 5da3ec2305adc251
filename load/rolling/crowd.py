"""All watchers of a run."""

import asyncio
import ssl
from typing import Final

from load.rolling.account import Account, Findings, Truth
from load.rolling.scale import COLLECTION, Scale
from load.rolling.timeline import Timeline
from load.rolling.watcher import Watcher, Way
from tests.support.client_ask import Ask, Watch

_AT_ONCE: Final = 50
_THERE_WITHIN_S: Final = 60


class Crowd:
    """Watchers at addresses of their own: 127/8 is all this machine's on Linux, and the front door hashes by them."""

    def __init__(self, port: int, trust: ssl.SSLContext, scale: Scale, timeline: Timeline) -> None:
        self.watchers = [_watcher(number, port, trust, scale, timeline) for number in range(scale.watchers)]
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Have all of them connect, a few at a time; raises TimeoutError when one can't."""
        turn = asyncio.Semaphore(_AT_ONCE)

        async def connect(watcher: Watcher) -> None:
            async with turn, asyncio.timeout(_THERE_WITHIN_S):
                self._tasks.append(asyncio.create_task(watcher.watch()))
                await watcher.synced.wait()

        await asyncio.gather(*(connect(watcher) for watcher in self.watchers))

    async def all_there(self) -> None:
        """Return when every one is synced; raises TimeoutError, and what ended a watcher's task."""
        for task in self._tasks:
            if task.done():
                task.result()
        async with asyncio.timeout(_THERE_WITHIN_S):
            for watcher in self.watchers:
                await watcher.synced.wait()

    def judge(self, truth: Truth) -> Findings:
        """All their findings."""
        found = Findings()
        for watcher in self.watchers:
            found.add(watcher.account.judge(_watched(watcher, truth)))
        return found

    def has_all(self, truth: Truth) -> bool:
        """Whether everybody has got as far as the newest of everything."""
        return all(
            watcher.account.newest.get(resource, -1) >= max(versions)
            for watcher in self.watchers
            for resource, versions in _watched(watcher, truth).items()
        )

    async def close(self) -> None:
        """Hang up, all of them."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _watched(watcher: Watcher, truth: Truth) -> Truth:
    """What was written to what it watches."""
    return {resource: versions for resource, versions in truth.items() if watcher.ask.covers(resource)}


def _watcher(number: int, port: int, trust: ssl.SSLContext, scale: Scale, timeline: Timeline) -> Watcher:
    # The four kinds alternate; so that cookies and whole collections are of every kind, they go by other steps.
    wire, mode = ("ws", "sse")[number % 2], ("state", "log")[number // 2 % 2]
    every = number // 4
    watch = Watch(COLLECTION, None if every % scale.all_every == 0 else f"R{every % scale.resources}")
    keeps = every % 10 < round(10 * scale.cookies)
    source = f"127.{1 + number // 62500}.{number // 250 % 250}.{1 + number % 250}"
    return Watcher(Way(port, trust, source, wire, keeps), Ask((watch,), mode=mode), Account(mode), timeline)
