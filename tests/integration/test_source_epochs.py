"""A log that is no longer the one it was: made anew, grown, cut off. Watchers are told once, and converge."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from services.pushserver.app import PushServer
from tests.support.broker import Broker
from tests.support.client import Ask, Http, Watch, Watcher, open_watch
from tests.support.recording import Frame, Recording
from tests.support.server import lagging, metric, push_server, put, running
from tests.support.topics import Topics

pytestmark = pytest.mark.real_kafka

ITEMS = Watch("items")
STATE_WATCHES = (
    ("sse", Ask((ITEMS,))),
    ("websocket", Ask((ITEMS,))),
    ("websocket_msgpack", Ask((Watch("items", "a"), Watch("items", prefix="b")))),
)


def serve(broker: Broker, topic: str, **settings: Any) -> PushServer:
    return push_server(broker.bootstrap, {"items": {"topic": topic, "modes": ["state", "log"]}}, **settings)


async def watch_all(stack: AsyncExitStack, url: str) -> list[Watcher]:
    watchers = [await open_watch(transport, url, ask) for transport, ask in STATE_WATCHES]
    for watcher in watchers:
        stack.push_async_callback(watcher.close)
        await watcher.wait_synced()
    return watchers


def known(frames: Sequence[Frame]) -> dict[str, Any]:
    """What a client is left with that forgets everything at a `reset` of what it watches."""
    state: dict[str, Any] = {}
    for frame in frames:
        if frame["event"] == "reset":
            collection, _, prefix = frame["watch"].partition("?prefix=")
            for resource in [r for r in state if r.startswith(f"{collection}/{prefix}") or r == collection]:
                del state[resource]
        elif frame["event"] == "put":
            state[frame["resource"]] = frame["data"]
        elif frame["event"] == "delete":
            state.pop(frame["resource"], None)
    return state


async def converges(watcher: Watcher, state: dict[str, Any]) -> None:
    wanted = {f"items/{name}": data for name, data in state.items() if watcher.ask.covers(f"items/{name}")}
    await watcher.until(lambda seen: known(seen.frames) == wanted)


async def looks_at_two_more_bookmarks(watcher: Watcher) -> None:
    """Long enough for a second look at what the topics are: a reset too many would have come."""
    already = bookmarks(watcher.recording)
    await watcher.until(lambda seen: bookmarks(seen) >= already + 2)


def bookmarks(seen: Recording) -> int:
    return sum(frame["event"] == "bookmark" for frame in seen.frames)


def resets(watcher: Watcher) -> list[tuple[str, str]]:
    return [(frame["watch"], frame["reason"]) for frame in watcher.frames if frame["event"] == "reset"]


async def each_was_reset_once(watchers: Sequence[Watcher]) -> None:
    for watcher in watchers:
        await looks_at_two_more_bookmarks(watcher)
        assert sorted(resets(watcher)) == sorted((watch.label, "epoch") for watch in watcher.ask.watches)
        assert all(after_reset(watcher.frames, watch.label) for watch in watcher.ask.watches)


def after_reset(frames: Sequence[Frame], label: str) -> bool:
    """Whether the snapshot after a reset ended with a `synced` that isn't a resume."""
    at = next(index for index, frame in enumerate(frames) if frame["event"] == "reset" and frame["watch"] == label)
    return any(f["event"] == "synced" and f["watch"] == label and f["resumed"] is False for f in frames[at:])


@pytest.mark.parametrize("written_meanwhile", [1, 4], ids=["shorter-than-before", "longer-than-before"])
async def test_a_topic_made_anew_is_one_reset_for_each_state_watch(
    broker: Broker, topics: Topics, written_meanwhile: int
) -> None:
    """A longer one has records where the server is about to read on: nothing but its identity tells."""
    topic = await topics.create()
    await put(broker.bootstrap, topic, ("a", '"old"'), ("b", '"old"'))
    async with AsyncExitStack() as stack:
        server = serve(broker, topic, identity_check_s=1.5)
        url = await stack.enter_async_context(running(server))
        watchers = await watch_all(stack, url)
        async with lagging(server):
            await topics.delete(topic)
            await topics.create(topic)
            await put(broker.bootstrap, topic, *[("a", f'"new {number}"') for number in range(written_meanwhile)])
        for watcher in watchers:
            await converges(watcher, {"a": f"new {written_meanwhile - 1}"})
        await put(broker.bootstrap, topic, ("b", "1"))
        for watcher in watchers:
            await converges(watcher, {"a": f"new {written_meanwhile - 1}", "b": 1})
        await each_was_reset_once(watchers)


async def test_what_was_known_of_the_topic_before_is_never_taken_for_the_new_one(
    broker: Broker, topics: Topics
) -> None:
    topic = await topics.create()
    await put(broker.bootstrap, topic, ("a", '"old"'))
    server = serve(broker, topic)
    async with running(server) as url, Http(url) as http:
        old = await http.get("/v1/items/a")
        log = await open_watch("sse", url, Ask((ITEMS,), mode="log"))
        await log.wait_synced()
        await topics.delete(topic)
        await topics.create(topic)
        await put(broker.bootstrap, topic, ("a", '"new"'))
        assert (await log.recording.wait_end()).code == 0
        assert (log.frames[-1]["event"], log.frames[-1]["code"]) == ("problem", "expired")

        new = await http.get("/v1/items/a", headers={"If-None-Match": old.headers["ETag"]})
        assert (new.status, new.body) == (200, b'"new"'), "at the same offset as the old one"
        cursor = old.headers["Watch-Cursor"]
        assert (await http.get(f"/v1/items/a?at_least={cursor}")).problem()["code"] == "invalid"
        again = await open_watch("sse", url, Ask((Watch("items", "a"),), cursor=cursor))
        await again.wait_synced()
        assert [frame["event"] for frame in again.frames] == ["reset", "put", "synced"]
        assert again.frames[0]["reason"] == "epoch"
        usable = await open_watch("sse", url, Ask((ITEMS,), mode="log", cursor=log.frames[-1]["cursor"]))
        await usable.wait_synced()
        assert [frame["data"] for frame in usable.data] == ["new"]
        await asyncio.gather(*(watcher.close() for watcher in (log, again, usable)))


async def test_a_grown_topic_is_one_reset_and_what_its_new_partitions_say_wins(broker: Broker, topics: Topics) -> None:
    topic = await topics.create()
    await put(broker.bootstrap, topic, *[("a", f'"old {number}"') for number in range(20)], ("b", '"old"'))
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(running(serve(broker, topic)))
        watchers = await watch_all(stack, url)
        await topics.grow(topic, 3)
        await put(broker.bootstrap, topic, ("a", '"new"'), ("b", None), ("bb", '"new"'), partition=2)
        for watcher in watchers:
            await converges(watcher, {"a": "new", "bb": "new"})
        await each_was_reset_once(watchers)
    async with running(serve(broker, topic)) as url, Http(url) as http:
        assert (await http.get("/v1/items/a")).body == b'"new"'
        assert (await http.get("/v1/items/b")).status == 404


async def test_a_log_cut_off_ahead_of_a_lagging_server_is_read_anew(broker: Broker, topics: Topics) -> None:
    topic = await topics.create()
    await put(broker.bootstrap, topic, ("a", "1"), ("b", "1"))
    server = serve(broker, topic)
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(running(server))
        watchers = await watch_all(stack, url)
        cursor = watchers[0].cursor
        async with lagging(server):
            await put(broker.bootstrap, topic, ("a", "2"), ("c", "2"), ("bb", "2"))
            await cut(broker, topic, before=4)
        for watcher in watchers:
            await converges(watcher, {"bb": 2})
        await put(broker.bootstrap, topic, ("a", "3"))
        for watcher in watchers:
            await converges(watcher, {"a": 3, "bb": 2})
        await each_was_reset_once(watchers)
        assert metric(server, "resources", collection="items") == 2
        again = await open_watch("sse", url, Ask((ITEMS,), cursor=cursor))
        await again.wait_synced()
        assert (again.frames[0]["event"], again.frames[0]["reason"]) == ("reset", "expired")
        await again.close()


async def cut(broker: Broker, topic: str, *, before: int) -> None:
    """Delete the records before an offset, as retention does."""
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=before)})
    finally:
        await admin.close()
