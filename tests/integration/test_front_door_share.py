"""A server that comes back empty is filled by those that have too many, whatever cookies they keep."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest_asyncio

from infra.cluster.ask import ask
from infra.cluster.deadline import until
from infra.cluster.front_door import FrontDoor, addresses
from infra.cluster.service import Service
from load.rolling.crowd import Crowd
from load.rolling.publisher import Publisher
from load.rolling.scale import COLLECTION, Scale
from load.rolling.timeline import Timeline
from services.pushserver.share import FULL_AT, SMALLEST_SURPLUS
from tests.integration.fronted import quick_door
from tests.support.broker import Broker
from tests.support.fleet import Fleet

SCALE: Final = Scale(watchers=80, servers=2, resources=8, per_s=20, cookies=1.0, reconnect_s=0.5)
SETTINGS: Final = {"LEVEL_S": "3", "BOOKMARK_INTERVAL_S": "1", "RECONNECT_MS": "500"}
LEVELLED: Final = re.compile(r'^watchroute_closed_total{reason="levelled"} (\S+)$', re.MULTILINE)


@dataclass(frozen=True)
class Half:
    """Two servers, of which only the first one runs yet, behind a front door, and a crowd at it."""

    door: FrontDoor
    first: Service
    second: Service
    crowd: Crowd
    publisher: Publisher
    timeline: Timeline


@pytest_asyncio.fixture(loop_scope="session")
async def half(broker: Broker, certificate: Path, tmp_path: Path) -> AsyncIterator[Half]:
    collections = {COLLECTION: {"modes": ["state", "log"]}}
    settings = {f"WATCHROUTE_PUSHSERVER_{name}": value for name, value in SETTINGS.items()}
    async with AsyncExitStack() as stack:
        fleet = await stack.enter_async_context(Fleet(broker, tmp_path, collections, servers=0))
        first, second = (Service("pushserver", tmp_path, fleet.config, settings) for _ in range(2))
        for service in (first, second):
            stack.push_async_callback(service.shut)
        await first.start()
        named = addresses("PUSHSERVER", [first, second]) | addresses("PRODUCER", [fleet.producer])
        factor = {"FRONT_BALANCE_FACTOR": "200"}
        door = await stack.enter_async_context(quick_door(tmp_path, certificate, named | factor))
        await door.until_status("pushserver1", "UP")
        await door.until_status("pushserver2", "DOWN")
        trust, timeline = ssl.create_default_context(), Timeline()
        crowd = Crowd(door.port, trust, SCALE, timeline)
        stack.push_async_callback(crowd.close)
        publisher = Publisher(door.url, trust, SCALE.resources, SCALE.per_s)
        await crowd.open()
        timeline.begin()
        yield Half(door, first, second, crowd, publisher, timeline)


async def levelled(server: Service) -> float:
    """How many it has sent away because it had too many."""
    _, text = await ask(f"{server.admin_url}/metrics")
    found = LEVELLED.search(text)
    return float(found[1]) if found else 0.0


async def test_a_server_that_comes_back_is_given_its_share_and_nobody_misses_or_is_refused_anything(half: Half) -> None:
    over = asyncio.Event()
    publishing = asyncio.create_task(half.publisher.publish(over))
    assert await half.door.sessions() == {"pushserver1": SCALE.watchers, "pushserver2": 0}
    await half.second.start()

    async def even() -> bool:
        counts = await half.door.sessions()
        return sum(counts.values()) == SCALE.watchers and max(counts.values()) <= FULL_AT * SCALE.even_share

    await until(even, "each has its share", within_s=30)
    over.set()
    await publishing
    await half.crowd.all_there()

    async def told() -> bool:
        return half.crowd.has_all(half.publisher.truth)

    await until(told, "everybody has the newest")
    moved = await levelled(half.first)
    assert SCALE.even_share - FULL_AT * SMALLEST_SURPLUS <= moved <= SCALE.watchers
    assert await levelled(half.second) == 0
    assert half.timeline.cut == 0
    assert half.timeline.failures == {}
    found = half.crowd.judge(half.publisher.truth)
    assert (found.lost, found.stale, found.resets, found.disordered) == (0, 0, 0, 0)
    assert found.told > 0
