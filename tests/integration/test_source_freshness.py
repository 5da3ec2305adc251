"""Whoever shows a cursor never sees a state older than it, also on a server that lags, or that Kafka has left alone."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.pushserver.app import PushServer
from shared.cursor import Segment, decode_cursor, encode_cursor
from tests.support.broker import Broker
from tests.support.client import Ask, Http, Refused, Watch, open_watch
from tests.support.server import eventually, lagging, push_server, put, running, until_ready
from tests.support.topics import Topics, unique_name

pytestmark = pytest.mark.real_kafka

ITEMS = Watch("items")


def serve(broker: Broker, topic: str, **settings: Any) -> PushServer:
    return push_server(broker.bootstrap, {"items": {"topic": topic}}, **settings)


async def cursor_now(url: str) -> str:
    async with Http(url) as http:
        return (await http.get("/v1/items")).headers["Watch-Cursor"]


def forged(cursor: str, change: Callable[[Segment], Segment]) -> str:
    return encode_cursor(change(segment) for segment in decode_cursor(cursor))


def ahead(cursor: str, records: int) -> str:
    return forged(cursor, lambda s: s._replace(positions={p: at + records for p, at in s.positions.items()}))


async def resumed(transport: str, url: str, cursor: str) -> list[dict[str, Any]]:
    """What a watch that resumes is told up to its `synced`."""
    watcher = await open_watch(transport, url, Ask((ITEMS,), cursor=cursor))
    await watcher.wait_synced()
    await watcher.close()
    return [frame for frame in watcher.frames if frame["event"] not in {"bookmark", "ack"}]


@pytest.mark.parametrize("transport", ["sse", "websocket", "websocket_url"])
async def test_a_cursor_ahead_of_a_lagging_server_waits_for_it(broker: Broker, topics: Topics, transport: str) -> None:
    topic = await topics.create()
    await put(broker.bootstrap, topic, ("a", "1"))
    server = serve(broker, topic, catch_up_s=10)
    async with running(server) as url, Http(url) as http:
        later = ahead(await cursor_now(url), 1)
        async with lagging(server):
            await put(broker.bootstrap, topic, ("a", "2"))
            resuming = asyncio.create_task(resumed(transport, url, later))
            getting = asyncio.create_task(http.get(f"/v1/items/a?at_least={later}"))
            for _ in range(3):
                assert (await http.get("/v1/items/a")).body == b"1", "a bare GET promises what the server has"
            assert not resuming.done()
            assert not getting.done()
        assert [(frame["event"], frame["resumed"]) for frame in await resuming] == [("synced", True)]
        assert (await getting).body == b"2"


async def test_a_server_that_does_not_catch_up_says_try_again(broker: Broker, topics: Topics) -> None:
    topic = await topics.create()
    await put(broker.bootstrap, topic, ("a", "1"))
    server = serve(broker, topic, catch_up_s=0.2)
    async with running(server) as url, Http(url) as http, lagging(server):
        later = ahead(await cursor_now(url), 1)
        await put(broker.bootstrap, topic, ("a", "2"))
        for target in ("/v1/items/a?at_least=", "/v1/items/poll?cursor=", "/v1/items/stream?cursor="):
            answer = await http.get(target + later)
            assert (answer.status, answer.problem()["code"]) == (503, "try_again")
            assert int(answer.headers["Retry-After"]) > 0
        with pytest.raises(Refused) as refused:
            await open_watch("websocket_url", url, Ask((ITEMS,), cursor=later))
        assert (refused.value.status, refused.value.problem["code"]) == (503, "try_again")
        by_operation = await open_watch("websocket", url, Ask((ITEMS,), cursor=later))
        problem = await by_operation.wait_for(lambda frame: bool(frame["event"] == "problem"))
        assert (problem["code"], problem["retry"], problem["ref"]) == ("try_again", True, 1)
        await by_operation.close()


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("cursor", lambda s: s._replace(positions={p: at + 1 for p, at in s.positions.items()})),
        ("cursor", lambda s: s._replace(positions={**s.positions, 7: 0})),
        ("epoch", lambda s: s._replace(epoch=b"\0" * 5)),
    ],
    ids=["beyond the end", "a partition that is none", "another epoch"],
)
async def test_a_cursor_that_no_server_will_reach_is_a_reset_at_once(
    broker: Broker, topics: Topics, reason: str, change: Callable[[Segment], Segment]
) -> None:
    topic = await topics.create()
    await put(broker.bootstrap, topic, ("a", "1"))
    async with running(serve(broker, topic, catch_up_s=10)) as url:
        cursor = forged(await cursor_now(url), change)
        began = time.monotonic()
        for transport in ("sse", "websocket", "longpoll"):
            watcher = await open_watch(transport, url, Ask((ITEMS,), cursor=cursor))
            await watcher.wait_for(lambda frame: bool(frame["event"] == "put"))
            await watcher.close()
            reset = next(frame for frame in watcher.frames if frame["event"] == "reset")
            assert (reset["watch"], reset["reason"]) == ("items", reason)
        assert time.monotonic() - began < 5


async def test_a_cursor_of_an_epoch_that_this_server_has_not_noticed_yet_makes_it_look(
    broker: Broker, topics: Topics
) -> None:
    topic = await topics.create()
    await put(broker.bootstrap, topic, *[("a", '"old"') for _ in range(5)])
    slow = serve(broker, topic, identity_check_s=3600, catch_up_s=10)
    async with running(slow) as url:
        await topics.grow(topic, 2)
        await put(broker.bootstrap, topic, ("b", '"new"'), partition=1)
        async with running(serve(broker, topic)) as other:
            cursor = await cursor_now(other)
        assert [frame["event"] for frame in await resumed("sse", url, cursor)] == ["synced"]
        async with Http(url) as http:
            assert (await http.get("/v1/items/b")).body == b'"new"'


async def test_a_cursor_into_a_topic_that_is_gone_is_told_to_try_again(broker: Broker, topics: Topics) -> None:
    gone, comes = await topics.create(), unique_name()
    await put(broker.bootstrap, gone, ("a", "1"))
    server = push_server(broker.bootstrap, {"items": {"topic": gone}, "other": {"topic": comes}}, catch_up_s=0.5)
    async with running(server, ready=False) as url, Http(url) as http:
        await eventually(lambda: "items" in server.hub.channels, "one of the two is read")
        cursor = await cursor_now(url)
        await topics.delete(gone)
        await topics.create(comes)
        await until_ready(server)
        for asked in (ahead(cursor, 1), forged(cursor, lambda s: s._replace(epoch=b"\0" * 5))):
            answer = await http.get(f"/v1/items/a?at_least={asked}")
            assert answer.status in {400, 503}, answer.body
        assert (await http.get("/v1/items/a")).body == b"1"


@pytest.mark.parametrize("transport", ["sse", "websocket_url", "poll"])
async def test_a_client_that_leaves_while_it_waits_is_no_mistake_of_the_server(
    broker: Broker, topics: Topics, transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = await topics.create()
    server = serve(broker, topic, catch_up_s=10)
    waits = asyncio.Event()
    next_batch = server.source.next_batch

    async def noted(timeout_s: float) -> None:
        waits.set()
        await next_batch(timeout_s)

    monkeypatch.setattr(server.source, "next_batch", noted)
    with capture_logs() as logged:
        async with running(server) as url:
            later = ahead(await cursor_now(url), 1)
            async with lagging(server):
                await put(broker.bootstrap, topic, ("a", "1"))
                waiting = asyncio.create_task(ask_for(transport, url, later))
                await asyncio.wait_for(waits.wait(), 5)
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
            await eventually(lambda: server.hub.channels["items"].positions == (1,), "it has caught up")
        assert not len(server.hub.wheel)
    assert not [line for line in logged if line["log_level"] not in {"info", "debug"}]


async def ask_for(transport: str, url: str, cursor: str) -> None:
    if transport != "poll":
        await open_watch(transport, url, Ask((ITEMS,), cursor=cursor))
        return
    async with Http(url) as http:
        await http.get(f"/v1/items/poll?cursor={cursor}")
