"""What waits for the application: bounded, and whoever fills it waits."""

import asyncio
from collections import deque
from typing import Final

from watchroute_client.change import Change
from watchroute_client.problem import WatchError

ROOM: Final = 1000
"""Changes that may wait for an application; beyond that nothing more is read, and the server elides or buffers."""


class Inbox:
    """One watch's; `put` never waits, `room` does."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Change, str | None]] = deque()
        self._ended = self._closed = False
        self._error: WatchError | None = None
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self.cursor: str | None = None

    @property
    def full(self) -> bool:
        """Whether it has had enough for now."""
        return not self._room.is_set()

    def put(self, change: Change, cursor: str | None) -> None:
        """Keep a change; `cursor` is how far the watch had come before it."""
        if self._ended:
            return
        self._waiting.append((change, cursor))
        self._news.set()
        if len(self._waiting) >= ROOM:
            self._room.clear()

    def end(self, error: WatchError | None) -> None:
        """Nothing more comes, once what waits is taken."""
        self._ended, self._error = True, error
        self._news.set()
        self._room.set()

    def close(self) -> None:
        """Nothing more is taken, what waits neither."""
        self._closed = True
        self.end(None)

    async def room(self) -> None:
        """Return when there is room again."""
        await self._room.wait()

    async def take(self) -> Change | None:
        """The next change, or None at the end; raises what ended it."""
        while self._closed or not self._waiting:
            if self._closed:
                return None
            if self._ended:
                if self._error is not None:
                    raise self._error
                return None
            self._news.clear()
            await self._news.wait()
        change, cursor = self._waiting.popleft()
        self.cursor = cursor or self.cursor
        if len(self._waiting) <= ROOM // 2:
            self._room.set()
        return change

    @property
    def empty(self) -> bool:
        """Whether nothing waits."""
        return not self._waiting

    def __len__(self) -> int:
        return len(self._waiting)
