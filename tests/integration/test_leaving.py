"""Who is sent away and when, and who isn't taken in."""

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import pytest

from infra.cluster.deadline import until
from tests.integration.test_stop import answers, connections, open_streams, process, was_sent_away
from tests.support.broker import Broker
from tests.support.client import Ask, Http, Refused, Watch, Watcher, open_watch
from tests.support.server import RawClient, eventually, metric, push_server, put, running
from tests.support.topics import Topics

pytestmark = pytest.mark.real_kafka

ONE: Final = Ask((Watch("items", "a"),))
WATCHERS: Final = 60
WINDOW_S: Final = 1.5


async def test_it_serves_on_while_the_balancer_finds_out(broker: Broker, topics: Topics, tmp_path: Path) -> None:
    topic = await topics.create()
    await put(broker.bootstrap, topic, ("a", "1"))
    async with process(broker, tmp_path, topic, drain_wait_s=600) as service, AsyncExitStack() as stack:
        await service.wait_ready()
        service.terminate()

        async def announced() -> bool:
            return await answers(service, "/readyz", 503)

        await until(announced, "it is no longer ready", every_s=0.01)
        watchers = await open_streams(stack, service.url, 4)
        await put(broker.bootstrap, topic, ("a", "2"))
        for watcher in watchers:
            await watcher.until(lambda seen: any(frame.get("data") == 2 for frame in seen.frames))
        service.terminate()
        assert await service.wait_exit(2) == -15, "a second SIGTERM ends it at once"


async def test_they_are_sent_away_at_an_even_rate(broker: Broker, topics: Topics, tmp_path: Path) -> None:
    topic = await topics.create()
    await put(broker.bootstrap, topic, ("a", "1"))
    async with process(broker, tmp_path, topic, drain_s=WINDOW_S) as service, AsyncExitStack() as stack:
        await service.wait_ready()
        watchers = await open_streams(stack, service.url, WATCHERS)
        began = time.monotonic()
        service.terminate()

        async def moment(watcher: Watcher) -> float:
            await watcher.recording.wait_end()
            return time.monotonic() - began

        moments = await asyncio.gather(*(moment(watcher) for watcher in watchers))
        for watcher in watchers:
            was_sent_away(watcher)
    # The window in five parts: each has its share, give or take what a loaded machine does to the clock.
    counts = [sum(part <= ended_s / WINDOW_S * 5 < part + 1 for ended_s in moments) for part in range(5)]
    assert all(count >= WATCHERS / 5 / 3 for count in counts), counts


async def test_an_event_source_is_told_when_to_come_back(broker: Broker, topics: Topics, tmp_path: Path) -> None:
    topic = await topics.create()
    await put(broker.bootstrap, topic, ("a", "1"))
    async with process(broker, tmp_path, topic, drain_s=0, sse_retry_ms=7777, reconnect_ms=0) as service:
        await service.wait_ready()
        client = await RawClient.connect(service.port)
        client.send(b"GET /v1/items/a HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n")
        assert b"retry: 7777\n" in await client.until(b"event: synced")
        service.terminate()
        rest = await client.rest()
        assert rest.index(b"event: bookmark") < rest.index(b"retry: 0\n") < rest.index(b"event: goaway")
        assert rest.endswith(b"0\r\n\r\n")
        await client.close()


async def test_who_comes_when_it_is_full_is_told_to_come_later(broker: Broker, topics: Topics) -> None:
    topic = await topics.create()
    await put(broker.bootstrap, topic, ("a", "1"))
    server = push_server(broker.bootstrap, {"items": {"topic": topic}}, max_connections=2)
    async with running(server) as url, AsyncExitStack() as stack, Http(url) as http:
        first, _ = await open_streams(stack, url, 2)
        for transport in ("sse", "websocket_url", "longpoll"):
            with pytest.raises(Refused) as refused:
                await open_watch(transport, url, ONE)
            assert refused.value.problem["code"] == "too_many_connections"
            headers = {name.lower(): text for name, text in refused.value.headers.items()}
            assert 5 <= int(headers["retry-after"]) <= 8
        assert (await http.get("/v1/items/a")).status == 200, "reading once takes no place"
        assert metric(server, "refused_total", code="too_many_connections") == 3
        await first.close()
        await eventually(lambda: len(server.hub.wheel) == 1, "it has left")
        await open_streams(stack, url, 1)


async def test_connections_end_at_random_after_so_long_on_average(broker: Broker, topics: Topics) -> None:
    topic = await topics.create()
    await put(broker.bootstrap, topic, ("a", "1"))
    server = push_server(broker.bootstrap, {"items": {"topic": topic}}, bookmark_interval_s=0.1, mean_age_s=0.2)
    async with running(server) as url, AsyncExitStack() as stack:
        for watcher in await open_streams(stack, url, 4):
            await watcher.recording.wait_end()
            was_sent_away(watcher)


async def test_they_do_not_end_by_themselves_unless_asked_to(broker: Broker, topics: Topics, tmp_path: Path) -> None:
    topic = await topics.create()
    await put(broker.bootstrap, topic, ("a", "1"))
    async with process(broker, tmp_path, topic, bookmark_interval_s=0.1) as service, AsyncExitStack() as stack:
        await service.wait_ready()
        watchers = await open_streams(stack, service.url, 4)
        for watcher in watchers:
            await watcher.until(lambda seen: sum(frame["event"] == "bookmark" for frame in seen.frames) >= 5)
        assert await connections(service) == 4
