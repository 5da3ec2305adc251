"""Writers that go through the front door, note what became of each write, and don't mind."""

import asyncio
import itertools
import json
import random
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote

import aiohttp

from tests.support.front_client import DoorHttp
from tests.support.oracle_run import DELETES, GROUPS
from tests.support.oracle_writes import Written

WRITERS: Final = 3
PAUSE_S: Final = 0.05
RESOURCES: Final = 40
PATIENCE_S: Final = 8.0
"""Longer than a producer takes for an acknowledgement, and than the door for a server that died."""
RETRY_S: Final = 0.1
_JSON: Final = {"Content-Type": "application/json"}


def names(collection: str) -> list[str]:
    """The resources, in groups that share a prefix."""
    return [f"{collection}/{GROUPS[number % len(GROUPS)]}/{number}" for number in range(RESOURCES)]


class Once(DoorHttp):
    """Plain requests, each sent once: aiohttp repeats a PUT by itself when its connection breaks."""

    def __init__(self, url: str, source: str) -> None:
        super().__init__(url, source=source)
        self._session._retry_connection = False  # noqa: SLF001 -- there is no public way


class ChaosWriters:
    """Several writers of one collection; `writes` is what became of every write so far."""

    def __init__(self, collection: str, url: str, rng: random.Random) -> None:
        self.writes: list[Written] = []
        self.open = asyncio.Event()
        self.open.set()
        self._names = names(collection)
        self.under_way = 0
        self._url = url
        self._rng = rng
        self._numbers = itertools.count()

    @property
    def acknowledged(self) -> int:
        """How many writes were."""
        return sum(write.version is not None for write in self.writes)

    def written(self, since_s: float) -> int:
        """How many writes that were sent since then have been acknowledged."""
        return sum(write.version is not None and write.sent_s >= since_s for write in self.writes)

    def unacknowledged(self, since_s: float) -> int:
        """How many writes that were sent since then came to anything else."""
        return sum(write.version is None and write.sent_s >= since_s for write in self.writes)

    async def run(self, source: str) -> None:
        """One writer, from that address, until cancelled; while `open` is not set it holds its breath."""
        async with Once(self._url, source) as http:
            while True:
                await self.open.wait()
                written = await self.write(http)
                pause_s = PAUSE_S if written.outcome == "written" else RETRY_S
                await asyncio.sleep(self._rng.expovariate(1 / pause_s))

    async def write(self, http: Once, resource: str = "", fill_bytes: int = 0) -> Written:
        """One put or delete, of any resource unless it is named."""
        data = None
        if resource or self._rng.random() >= DELETES:
            # Hexadecimal text, so that compression leaves half of it.
            fill = self._rng.randbytes(fill_bytes or self._rng.randrange(150)).hex()
            data = {"n": next(self._numbers), "fill": fill}
        resource = resource or self._rng.choice(self._names)
        self.under_way += 1
        try:
            written = await _send(http, resource, data)
        finally:
            self.under_way -= 1
        self.writes.append(written)
        return written


async def _send(http: Once, resource: str, data: Any) -> Written:
    clock: Callable[[], float] = asyncio.get_running_loop().time
    sent_s = clock()
    try:
        async with asyncio.timeout(PATIENCE_S):
            outcome, version, cursor = await _ask(http, resource, data)
    except (aiohttp.ClientError, OSError, TimeoutError):
        outcome, version, cursor = "unknown", None, None
    return Written(resource, data, sent_s, clock(), outcome, version, cursor)


async def _ask(http: Once, resource: str, data: Any) -> tuple[str, int | None, str | None]:
    collection, _, name = resource.partition("/")
    target = f"/v1/{collection}/{quote(name, safe='')}"
    if data is None:
        answer = await http.request("DELETE", target)
    else:
        answer = await http.request("PUT", target, headers=_JSON, body=json.dumps(data).encode())
    body = answer.json()
    if answer.status == 200:
        return "written", int(body["version"]), body["cursor"]
    return body.get("outcome", body["code"]), None, None
