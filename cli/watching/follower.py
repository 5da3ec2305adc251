"""Following a watch for ever: over lost connections, restarts and other servers, from the last cursor."""

import asyncio
import contextlib
import json
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import aiohttp

from cli.watching.arrival import Trouble, trouble_of_frame
from cli.watching.request import TailRequest
from cli.watching.transports import Transport

Frame = Mapping[str, Any]

_FIRST_PAUSE_S: Final = 0.25
_LONGEST_PAUSE_S: Final = 10.0
_CARRIES_CURSOR: Final = frozenset({"synced", "bookmark", "goaway"})


class Follower:
    """Calls `on_frame(text, frame)` for every frame and `on_trouble` for every end, until it is cancelled.

    `cursor` is how far it has come, and where it goes on. What was delivered after the last cursor may come again.
    """

    def __init__(
        self,
        transport: Transport,
        request: TailRequest,
        *,
        on_frame: Callable[[str, Frame], None],
        on_trouble: Callable[[Trouble], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._transport = transport
        self._request = request
        self._on_frame = on_frame
        self._on_trouble = on_trouble
        self._sleep = sleep
        self._failures = 0
        self._goaway_s: float | None = None
        self.cursor = request.cursor

    async def run(self, session: aiohttp.ClientSession) -> None:
        """Never return; raises Trouble where trying again makes no sense."""
        while True:
            self._goaway_s = None
            try:
                await self._follow(session)
                trouble = Trouble("the server has ended the connection")
            except Trouble as met:
                trouble = met
            if not trouble.retry:
                raise trouble
            self.cursor = trouble.cursor or self.cursor
            if self._goaway_s is None:
                self._on_trouble(trouble)
            await self._sleep(self._pause_s(trouble))

    async def _follow(self, session: aiohttp.ClientSession) -> None:
        arrivals = self._transport(session, self._request.resumed(self.cursor))
        async with contextlib.aclosing(arrivals):
            async for arrival in arrivals:
                self._failures = 0
                if arrival.text:
                    self._take(arrival.text)
                self.cursor = arrival.cursor or self.cursor

    def _take(self, text: str) -> None:
        frame = json.loads(text)
        event = frame.get("event")
        if event == "problem":
            raise trouble_of_frame(frame)
        if event in _CARRIES_CURSOR:
            self.cursor = frame["cursor"] or self.cursor
        if event == "goaway":
            self._goaway_s = frame["reconnect_in_ms"] / 1000
        self._on_frame(text, frame)

    def _pause_s(self, trouble: Trouble) -> float:
        """As long as the server wants it; else longer with each failure, and never all at the same moment."""
        self._failures += 1
        if self._goaway_s is not None:
            return self._goaway_s
        longest: float = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(self._failures, 10))
        return max(trouble.after_s or 0.0, longest * random.uniform(0.5, 1.0))  # noqa: S311 -- spreads load
