"""Writes through the front door at a steady pace, and keeps what was acknowledged."""

import asyncio
import itertools
import ssl
from collections import defaultdict
from typing import Final

import aiohttp

from load.rolling.account import Truth
from load.rolling.scale import COLLECTION

_AGAIN_S: Final = 0.2
_TIMEOUT: Final = aiohttp.ClientTimeout(total=20)


class Publisher:
    """Resources `feed/R0`, … in turn; a write that fails is repeated until it is acknowledged."""

    def __init__(self, url: str, trust: ssl.SSLContext, resources: int, per_s: float) -> None:
        self._url = f"{url}/v1/{COLLECTION}"
        self._trust = trust
        self._ids = [f"R{number}" for number in range(resources)]
        self._per_s = per_s
        self._written: defaultdict[str, list[int]] = defaultdict(list)
        self.repeated = 0

    @property
    def truth(self) -> Truth:
        """The acknowledged versions of each resource."""
        return dict(self._written)

    async def publish(self, over: asyncio.Event) -> None:
        """Write until it is over; returns when each write is acknowledged."""
        loop = asyncio.get_running_loop()
        connector = aiohttp.TCPConnector(ssl=self._trust)
        async with (
            aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT) as session,
            asyncio.TaskGroup() as group,
        ):
            began = loop.time()
            for number in itertools.count():
                if over.is_set():
                    break
                group.create_task(self._write(session, number))
                await asyncio.sleep(max(0.0, began + (number + 1) / self._per_s - loop.time()))

    async def _write(self, session: aiohttp.ClientSession, number: int) -> None:
        name = self._ids[number % len(self._ids)]
        while not (version := await self._put(session, f"{self._url}/{name}", number)):
            self.repeated += 1
            await asyncio.sleep(_AGAIN_S)
        self._written[f"{COLLECTION}/{name}"].append(int(version))

    async def _put(self, session: aiohttp.ClientSession, url: str, number: int) -> str:
        try:
            async with session.put(url, json={"n": number}) as answer:
                return str((await answer.json())["version"]) if answer.status == 200 else ""  # noqa: PLR2004
        except (aiohttp.ClientError, TimeoutError):
            return ""
