"""Who is sent away has the next connection before the old one ends, and the old one ends when it has to."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from infra.cluster.deadline import until
from infra.cluster.front_door import addresses
from infra.cluster.service import Service
from load.clients.javascript_crowd import JavaScriptCrowd
from load.clients.python_crowd import PythonCrowd
from load.rolling.account import Truth
from load.rolling.publisher import Publisher
from load.rolling.run import published
from load.rolling.scale import COLLECTION
from tests.integration.fronted import quick_door
from tests.integration.test_stop import connections, open_streams, process
from tests.support.broker import Broker
from tests.support.client import Watcher
from tests.support.fleet import Fleet
from tests.support.server import eventually, metric, push_server, put, running
from tests.support.topics import Topics
from tests.unit.clients.test_javascript import PACKAGE

pytestmark = pytest.mark.real_kafka

CLIENTS: Final = 8
"""Of each kind: two for each transport and mode."""
PER_S: Final = 20
RECONNECT_MS: Final = 5000
FOR_EVER_MS: Final = 600_000
MOST_SILENCE_S: Final = 2.0
"""Of who waits to come back, one in 10 000 crowds has none whose silence is longer; a busy machine may be slow."""
WATCHERS: Final = 8
OVERLAP_MS: Final = 700


@dataclass(frozen=True)
class Pair:
    """Two servers behind a front door; the first one ends nobody, however long that takes."""

    url: str
    authority: Path
    first: Service
    second: Service
    publisher: Publisher

    async def everybody_is_at(self, server: Service) -> None:
        async def all_there() -> bool:
            return await connections(server) == 2 * CLIENTS

        await until(all_there, "everybody is there")


@pytest_asyncio.fixture(loop_scope="session")
async def pair(broker: Broker, certificate: Path, tmp_path: Path) -> AsyncIterator[Pair]:
    settings = {"OVERLAP_MS": FOR_EVER_MS, "RECONNECT_MS": RECONNECT_MS, "DRAIN_S": 0, "DRAIN_WAIT_S": 1}
    variables = {f"WATCHROUTE_PUSHSERVER_{name}": str(setting) for name, setting in settings.items()}
    async with AsyncExitStack() as stack:
        collections = {COLLECTION: {"modes": ["state", "log"]}}
        fleet = await stack.enter_async_context(Fleet(broker, tmp_path, collections, servers=0))
        first, second = (Service("pushserver", tmp_path, fleet.config, variables) for _ in range(2))
        for service in (first, second):
            stack.push_async_callback(service.shut)
        await first.start()
        named = addresses("PUSHSERVER", [first, second]) | addresses("PRODUCER", [fleet.producer])
        door = await stack.enter_async_context(quick_door(tmp_path, certificate, named))
        await door.until_status("pushserver1", "UP")
        publisher = Publisher(door.url, ssl.create_default_context(), resources=4, per_s=PER_S)
        yield Pair(door.url, certificate / "ca.pem", first, second, publisher)


def written(truth: Truth) -> int:
    return sum(map(len, truth.values()))


async def test_applications_of_both_clients_notice_nothing_of_a_server_that_leaves(pair: Pair) -> None:
    if not (PACKAGE / "node_modules").is_dir():
        pytest.skip("needs Node and the packages of clients/js (infra/setup/node.sh)")
    trust = ssl.create_default_context(cafile=pair.authority)
    crowds = (PythonCrowd(pair.url, trust, CLIENTS), JavaScriptCrowd(pair.url, pair.authority, CLIENTS))
    for crowd in crowds:
        await crowd.open()
    await pair.everybody_is_at(pair.first)
    await pair.second.start()
    async with published(pair.publisher):
        # It never hangs up: that it ends says that each client did, and its silence that it did so in good time.
        assert await pair.first.stop() == 0, pair.first.log_tail()
        await pair.everybody_is_at(pair.second)
        truth = {resource: list(versions) for resource, versions in pair.publisher.truth.items()}
        far_ahead = written(truth) + 3 * PER_S
        await eventually(lambda: written(pair.publisher.truth) > far_ahead, "three seconds' worth came after that")
    for crowd in crowds:
        for story in await crowd.close():
            assert (story.repeats, story.resets, story.gaps(truth)) == (0, 0, 0), crowd.name
            assert 0 < story.silence_s < MOST_SILENCE_S, crowd.name


async def test_who_stays_is_told_on_and_ended_at_the_deadline(broker: Broker, topics: Topics, tmp_path: Path) -> None:
    topic = await topics.create()
    await put(broker.bootstrap, topic, ("a", "1"))
    settings = {"drain_s": 0, "reconnect_ms": 0, "overlap_ms": OVERLAP_MS}
    async with process(broker, tmp_path, topic, **settings) as service, AsyncExitStack() as stack:
        await service.wait_ready()
        watchers = await open_streams(stack, service.url, WATCHERS)
        began = time.monotonic()
        service.terminate()
        for watcher in watchers:
            await watcher.wait_for(lambda frame: frame["event"] == "goaway")
        await put(broker.bootstrap, topic, ("a", "2"))
        assert await service.wait_exit(5) == 0, service.log_tail()
        assert time.monotonic() - began >= OVERLAP_MS / 1000
        for watcher in watchers:
            await was_ended_at_the_deadline(watcher)


async def was_ended_at_the_deadline(watcher: Watcher) -> None:
    end = await watcher.recording.wait_end()
    assert end.code == (0 if watcher.transport == "sse" else 1012)
    events = [frame["event"] for frame in watcher.frames]
    assert events[-4:] == ["bookmark", "goaway", "put", "bookmark"]
    assert watcher.cursor == watcher.frames[-1]["cursor"]


async def test_it_ends_as_soon_as_all_have_gone_and_they_count_as_sent_away(broker: Broker, topics: Topics) -> None:
    topic = await topics.create()
    await put(broker.bootstrap, topic, ("a", "1"))
    server = push_server(broker.bootstrap, {"items": {"topic": topic}}, overlap_ms=FOR_EVER_MS)
    async with running(server) as url, AsyncExitStack() as stack:
        watchers = await open_streams(stack, url, WATCHERS)
        drained = asyncio.create_task(server.drain.run())
        for watcher in watchers:
            await watcher.wait_for(lambda frame: frame["event"] == "goaway")
        assert metric(server, "connections") == WATCHERS, "they count as long as they are here"
        assert not drained.done()
        for watcher in watchers:
            await watcher.close()
        async with asyncio.timeout(10):
            await drained
        assert server.hub.counters.closed == {"going_away": WATCHERS}


async def test_nobody_is_sent_away_twice(broker: Broker, topics: Topics) -> None:
    topic = await topics.create()
    await put(broker.bootstrap, topic, ("a", "1"))
    # Each turn of the wheel would send away whoever is old enough, and everybody is.
    settings: dict[str, Any] = {"bookmark_interval_s": 0.1, "mean_age_s": 0.1, "overlap_ms": FOR_EVER_MS}
    server = push_server(broker.bootstrap, {"items": {"topic": topic}}, **settings)
    async with running(server) as url, AsyncExitStack() as stack:
        for watcher in await open_streams(stack, url, WATCHERS):
            await watcher.until(lambda seen: [frame["event"] for frame in seen.frames].count("bookmark") >= 6)
            assert [frame["event"] for frame in watcher.frames].count("goaway") == 1
