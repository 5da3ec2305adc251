"""A push server as a process of its own: how it ends, and what a watcher that waits costs it."""

import asyncio
import itertools
import re
import resource
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from infra.cluster.deadline import until
from infra.cluster.service import Service
from tests.support.broker import Broker
from tests.support.client import Answer, Ask, Http, Watch, Watcher, open_watch
from tests.support.server import put
from tests.support.topics import Topics, unique_name

pytestmark = pytest.mark.real_kafka

ITEMS: Final = Watch("items")
ONE: Final = Watch("items", "a")
STREAMS: Final = ("sse", "websocket", "websocket_msgpack", "websocket_url")
STREAM_WATCHERS: Final = 160
POLLS: Final = 40
DRAIN_S: Final = 0.5
WARM: Final = 200
IDLE: Final = 1000
MOST_BYTES: Final = 4096


@asynccontextmanager
async def process(broker: Broker, folder: Path, *topics: str, **settings: Any) -> AsyncIterator[Service]:
    """A server of the collections `items`, `more1`, …, launched, and killed in the end if it still runs.

    Without an overlap, unless there is to be one: nobody here has another server to go to.
    """
    config = folder / "watchroute.toml"
    lines = ["[auth]", 'mode = "none"', "[kafka]", f'bootstrap = "{broker.bootstrap}"', "[pushserver]"]
    lines += [f"{name} = {value}" for name, value in {"overlap_ms": 0, **settings}.items()]
    for name, topic in zip(itertools.chain(["items"], (f"more{n}" for n in itertools.count(1))), topics, strict=False):
        lines += [f"[collections.{name}]", f'topic = "{topic}"']
    config.write_text("\n".join(lines))
    service = Service("pushserver", folder, config, {})
    service.launch()
    try:
        yield service
    finally:
        await service.shut()


async def connections(service: Service) -> int:
    """How many watches it counts, polls that wait included."""
    async with Http(service.admin_url) as http:
        text = (await http.get("/metrics")).body.decode()
    found = re.search(r"^watchroute_connections (\S+)$", text, re.MULTILINE)
    assert found
    return int(float(found[1]))


async def answers(service: Service, target: str, status: int) -> bool:
    try:
        async with Http(service.admin_url) as http:
            return (await http.get(target)).status == status
    except OSError:
        return False


async def open_streams(stack: AsyncExitStack, url: str, count: int) -> list[Watcher]:
    watchers = []
    for number in range(count):
        ask = Ask((ONE if number % 3 else ITEMS,))
        watchers.append(await open_watch(STREAMS[number % len(STREAMS)], url, ask))
        stack.push_async_callback(watchers[-1].close)
    for watcher in watchers:
        await watcher.wait_synced()
    return watchers


async def open_polls(http: Http, count: int) -> list[asyncio.Task[Answer]]:
    """Half of them `/poll`, half of them GETs that wait for another ETag."""
    got = await http.get("/v1/items/a")
    headers = {"Prefer": "wait=50", "If-None-Match": got.headers["ETag"]}
    poll = f"/v1/items/a/poll?wait=50&cursor={got.headers['Watch-Cursor']}"
    asked = [http.get(poll) if number % 2 else http.get("/v1/items/a", headers=headers) for number in range(count)]
    return [asyncio.create_task(one) for one in asked]


def was_sent_away(watcher: Watcher) -> None:
    bookmark, goaway = watcher.frames[-2:]
    assert (bookmark["event"], goaway["event"]) == ("bookmark", "goaway")
    assert bookmark["cursor"] == goaway["cursor"] == watcher.cursor
    assert watcher.recording.end is not None
    assert watcher.recording.end.code == (0 if watcher.transport == "sse" else 1012)


async def test_sigterm_sends_everyone_away_and_ends_the_process(broker: Broker, topics: Topics, tmp_path: Path) -> None:
    topic = await topics.create()
    await put(broker.bootstrap, topic, ("a", "1"))
    async with process(broker, tmp_path, topic, drain_s=DRAIN_S) as service, AsyncExitStack() as stack:
        await service.wait_ready()
        http = await stack.enter_async_context(Http(service.url))
        watchers = await open_streams(stack, service.url, STREAM_WATCHERS)
        polls = await open_polls(http, POLLS)

        async def all_wait() -> bool:
            return await connections(service) == STREAM_WATCHERS + POLLS

        await until(all_wait, "200 watches wait")
        began = time.monotonic()
        assert await service.stop(within_s=DRAIN_S + 3) == 0, service.log_tail()
        assert DRAIN_S <= time.monotonic() - began < DRAIN_S + 3
        for watcher in watchers:
            await watcher.recording.wait_end()
            was_sent_away(watcher)
        for number, answer in enumerate(await asyncio.gather(*polls)):
            assert answer.status == (200 if number % 2 else 304)
            if answer.status == 200:
                assert [frame["event"] for frame in answer.json()["frames"]] == ["goaway"]
                assert answer.json()["cursor"] == watchers[1].cursor, "a cursor to go on with elsewhere"
    assert "Traceback" not in service.log.read_text()


async def test_sigterm_ends_a_server_that_is_not_ready_yet(broker: Broker, topics: Topics, tmp_path: Path) -> None:
    topic, missing = await topics.create(), unique_name()
    await put(broker.bootstrap, topic, *[(f"key{number}", "1") for number in range(5000)])
    async with process(broker, tmp_path, topic, missing, drain_s=DRAIN_S) as service:

        async def alive() -> bool:
            return await answers(service, "/livez", 200)

        await until(alive, "it lives", every_s=0.01)
        assert await answers(service, "/readyz", 503)
        assert await service.stop(within_s=3) == 0, service.log_tail()
    assert "Traceback" not in service.log.read_text()


async def test_sigterm_sends_away_who_watches_a_server_that_is_not_ready_yet(
    broker: Broker, topics: Topics, tmp_path: Path
) -> None:
    topic, missing = await topics.create(), unique_name()
    async with process(broker, tmp_path, topic, missing, drain_s=0) as service, AsyncExitStack() as stack:

        async def served() -> bool:
            return b"does not exist" in await readyz(service)

        await until(served, "what is there is served")
        watchers = await open_streams(stack, service.url, 4)
        assert await service.stop(within_s=3) == 0, service.log_tail()
        for watcher in watchers:
            await watcher.recording.wait_end()
            was_sent_away(watcher)


async def readyz(service: Service) -> bytes:
    try:
        async with Http(service.admin_url) as http:
            return (await http.get("/readyz")).body
    except OSError:
        return b""


async def test_a_second_sigterm_ends_it_at_once(broker: Broker, topics: Topics, tmp_path: Path) -> None:
    topic = await topics.create()
    await put(broker.bootstrap, topic, ("a", "1"))
    async with process(broker, tmp_path, topic, drain_s=600) as service, AsyncExitStack() as stack:
        await service.wait_ready()
        watchers = await open_streams(stack, service.url, 4)
        service.terminate()

        async def leaving() -> bool:
            return await answers(service, "/readyz", 503)

        await until(leaving, "it is leaving")
        service.terminate()
        assert await service.wait_exit(2) == -15
        for watcher in watchers:
            await watcher.recording.wait_end()


@pytest.fixture
def enough_files() -> Iterator[None]:
    """As many open files as the system allows, here and in the processes that are started."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


REQUESTS: Final = {
    "sse": b"GET /v1/items/a/stream HTTP/1.1\r\nHost: here\r\n\r\n",
    "websocket": (
        b"GET /v1/items/a/ws HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ),
}


def open_idle(stack: ExitStack, service: Service, request: bytes, count: int) -> None:
    """Blocking sockets: what a client of asyncio costs would take longer than what is measured."""
    for _ in range(count):
        client = stack.enter_context(socket.create_connection(("127.0.0.1", service.port), timeout=5))
        client.sendall(request)
        seen = b""
        while b'"synced"' not in seen:
            piece = client.recv(4096)
            assert piece, seen
            seen += piece


async def test_a_watcher_that_waits_costs_little_memory(
    broker: Broker, topics: Topics, tmp_path: Path, enough_files: None
) -> None:
    topic = await topics.create()
    await put(broker.bootstrap, topic, ("a", "1"))
    async with process(broker, tmp_path, topic, drain_s=0, bookmark_interval_s=600) as service:
        await service.wait_ready()
        with ExitStack() as stack:
            for request in REQUESTS.values():
                open_idle(stack, service, request, WARM)
            for transport, request in REQUESTS.items():
                before = service.rss_bytes()
                open_idle(stack, service, request, IDLE)
                each = (service.rss_bytes() - before) / IDLE
                assert each < MOST_BYTES, f"{each:.0f} bytes for each {transport} watcher that waits"


async def test_it_takes_as_many_files_as_the_system_lets_it(broker: Broker, topics: Topics, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard - 1, hard))
    try:
        async with process(broker, tmp_path, await topics.create(), drain_s=0) as service:
            await service.wait_ready()
            assert resource.prlimit(service.process.pid, resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
