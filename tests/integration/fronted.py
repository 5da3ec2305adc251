"""A fleet behind the front door, for the tests of the latter."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from infra.cluster.front_door import FrontDoor, NoFrontDoor, addresses, certificate, require_haproxy
from infra.cluster.service import Service
from tests.support.broker import Broker
from tests.support.client import Ask, Watch, Watcher, Writer
from tests.support.fleet import Fleet
from tests.support.front_client import DoorHttp, server_in

ITEMS: Final = Watch("items")
ALL: Final = Ask((ITEMS,))
LOG: Final = Ask((ITEMS,), mode="log")
COLLECTIONS: Final = {"items": {"modes": ["state", "log"]}}
QUIET_S: Final = 60
"""Between bookmarks: whatever arrives before was not pushed out of a buffer by one."""
LONG_S: Final = 600
"""A drain that no test sees the end of."""


def quick_door(folder: Path, made: Path, variables: Mapping[str, str], *, servers: str = "static") -> FrontDoor:
    """A front door that finds out soon what becomes of its servers."""
    return FrontDoor(folder, made, {"FRONT_CHECK_INTERVAL": "100ms", **variables}, servers=servers)


@dataclass(frozen=True)
class Fronted:
    """Push servers and a producer with HAProxy before them."""

    door: FrontDoor
    servers: list[Service]
    writer: Writer

    async def by_cookie(self, cookie: str) -> Service:
        """The server that a cookie of the door leads to."""
        named = await self.door.cookies()
        return self.servers[int(named[server_in(cookie)].removeprefix("pushserver")) - 1]


@contextmanager
def trusted_certificate(folder: Path) -> Iterator[Path]:
    """A certificate that this process trusts meanwhile; skips the test where there can't be a front door."""
    try:
        require_haproxy()
    except NoFrontDoor as missing:
        pytest.skip(str(missing))
    made = certificate(folder)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SSL_CERT_FILE", str(made / "ca.pem"))
        yield made


@asynccontextmanager
async def fronted(
    broker: Broker,
    folder: Path,
    made: Path,
    environment: Mapping[str, str],
    *,
    servers: int = 2,
    bookmark_interval_s: float = QUIET_S,
) -> AsyncIterator[Fronted]:
    """All of it, ready, and HAProxy knowing it."""
    async with AsyncExitStack() as stack:
        fleet = await stack.enter_async_context(Fleet(broker, folder, COLLECTIONS, servers=0))
        table = "WATCHROUTE_PUSHSERVER"
        settings = {f"{table}_BOOKMARK_INTERVAL_S": str(bookmark_interval_s), f"{table}_DRAIN_S": str(LONG_S)}
        started = [Service("pushserver", folder, fleet.config, settings) for _ in range(servers)]
        for service in started:
            stack.push_async_callback(service.shut)
            service.launch()
        for service in started:
            await service.wait_ready()
        named = addresses("PUSHSERVER", started) | addresses("PRODUCER", [fleet.producer])
        door = await stack.enter_async_context(quick_door(folder, made, {**named, **environment}))
        for number in range(1, servers + 1):
            await door.until_status(f"pushserver{number}", "UP")
        writer = Writer(door.url)
        await writer.http.close()
        writer.http = DoorHttp(door.url)
        stack.push_async_callback(writer.http.close)
        yield Fronted(door, started, writer)


async def resume(door: FrontDoor, watcher: Watcher, over: asyncio.Event) -> list[Watcher]:
    """Watch on with the cursor of the last connection, whenever one ends, until all is over; every one of them."""
    history = [watcher]
    while not over.is_set():
        waits = asyncio.create_task(over.wait())
        ends = asyncio.create_task(history[-1].recording.wait_end())
        _, pending = await asyncio.wait((waits, ends), return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        if not over.is_set():
            last = history[-1]
            await last.close()
            history.append(await type(last).open(door.url, LOG.resume(last.cursor)))
    return history


def told(history: list[Watcher]) -> set[tuple[str, int]]:
    """Every change that these were told: resource and version."""
    return {(frame["resource"], int(frame["version"])) for watcher in history for frame in watcher.data}
