"""Applications of the Python client, in this process."""

import asyncio
import ssl
from typing import Final

from load.clients.story import Story
from load.rolling.scale import COLLECTION
from watchroute_client import WatchClient

_THERE_WITHIN_S: Final = 60


class PythonCrowd:
    """So many clients of their own, half of them in `log` mode, half over WebSocket and half over event streams."""

    name = "Python"

    def __init__(self, url: str, trust: ssl.SSLContext, number: int) -> None:
        self.stories = [Story(("state", "log")[each % 2]) for each in range(number)]
        self._clients = [
            WatchClient(url, tls=trust, transports=(("ws", "sse")[each // 2 % 2],)) for each in range(number)
        ]
        self._synced = [asyncio.Event() for _ in range(number)]
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Return when all are told changes as they happen."""
        for number in range(len(self._clients)):
            self._tasks.append(asyncio.create_task(self._watch(number)))
        async with asyncio.timeout(_THERE_WITHIN_S):
            for synced in self._synced:
                await synced.wait()

    async def _watch(self, number: int) -> None:
        story, loop = self.stories[number], asyncio.get_running_loop()
        async with self._clients[number] as client:
            async for change in client.watch(COLLECTION, mode=story.mode, snapshot=False):
                if change.event == "synced":
                    self._synced[number].set()
                elif change.event == "reset":
                    story.resets += 1
                else:
                    story.on_change(change.resource, change.version, loop.time())

    async def close(self) -> list[Story]:
        """End all of them; what they were told."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        return self.stories
