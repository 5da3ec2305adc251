"""Compaction and the life of tombstones: whoever was away is told of deletes, or to start over."""

from collections.abc import Sequence
from typing import Any, Final

import pytest

from services.pushserver.app import PushServer
from tests.support.broker import Broker
from tests.support.client import Ask, Watch, Watcher, open_watch
from tests.support.compaction import compact, expire_tombstones
from tests.support.recording import Frame
from tests.support.records import RawRecord
from tests.support.server import eventually, push_server, put, running
from tests.support.topics import Topics

pytestmark = pytest.mark.real_kafka

WATCHED: Final = Watch("items", prefix="k")
FILLER: Final = RawRecord(b"filler", b"0")
SHORT_S: Final = 0.3
COMPACTED: Final = {"cleanup.policy": "compact"}


def serve(broker: Broker, topic: str, **table: Any) -> PushServer:
    return push_server(broker.bootstrap, {"items": {"topic": topic, **table}})


async def watch(url: str, cursor: str | None = None) -> Watcher:
    watcher = await open_watch("sse", url, Ask((WATCHED,), cursor=cursor))
    await watcher.wait_synced()
    return watcher


def told(frames: Sequence[Frame]) -> list[tuple[Any, ...]]:
    """All but bookmarks and acknowledgements, in few words."""
    members = ("event", "resource", "data", "reason", "resumed")
    return [tuple(f[name] for name in members if name in f) for f in frames if f["event"] not in {"bookmark", "ack"}]


async def begins_with(url: str, cursor: str | None) -> list[tuple[Any, ...]]:
    """What a watch is told up to its `synced`."""
    watcher = await watch(url, cursor)
    await watcher.close()
    return told(watcher.frames)


async def test_compaction_is_seen_by_nobody(broker: Broker, topics: Topics) -> None:
    topic = await topics.create(config=COMPACTED)
    # k0 stays: only because it is young a server knows that no delete can have expired in the gap that follows it.
    await put(broker.bootstrap, topic, ("k0", "1"), ("k1", "1"), ("k2", "1"), ("k1", "2"))
    async with running(serve(broker, topic)) as url:
        watcher = await watch(url)
        before = told(watcher.frames)
        first = watcher.cursor
        await put(broker.bootstrap, topic, ("k2", "3"), ("k2", "4"), ("k1", None))
        live = [("put", "items/k2", 3), ("put", "items/k2", 4), ("delete", "items/k1")]
        await watcher.until(lambda seen: told(seen.frames) == before + live)
        await compact(broker.bootstrap, topic, filler=FILLER)
        await put(broker.bootstrap, topic, ("k3", "5"))
        await watcher.until(lambda seen: told(seen.frames)[-1] == ("put", "items/k3", 5))
        await watcher.close()
        assert told(watcher.frames) == [*before, *live, ("put", "items/k3", 5)]
    resumed = [("put", "items/k2", 4), ("delete", "items/k1"), ("put", "items/k3", 5), ("synced", True)]
    async with running(serve(broker, topic)) as url:
        assert await begins_with(url, first) == resumed, "a server that reads the compacted log tells the same"


async def test_a_delete_is_told_on_resume_for_as_long_as_it_is_known(broker: Broker, topics: Topics) -> None:
    topic = await topics.create(config=COMPACTED)
    await put(broker.bootstrap, topic, ("k1", "1"), ("k2", "1"))
    server = serve(broker, topic, delete_retention_s=SHORT_S)
    async with running(server) as url:
        watcher = await watch(url)
        away = watcher.cursor
        await put(broker.bootstrap, topic, ("k1", None))
        await watcher.until(lambda seen: told(seen.frames)[-1] == ("delete", "items/k1"))
        assert await begins_with(url, away) == [("delete", "items/k1"), ("synced", True)]
        await eventually(lambda: server.hub.channels["items"].table.get("k1") is None, "the tombstone has expired")
        assert await begins_with(url, away) == [("reset", "expired"), ("put", "items/k2", 1), ("synced", False)]
        assert await begins_with(url, watcher.cursor) == [("synced", True)], "who was told needs no reset"
        await watcher.close()


async def test_a_server_that_boots_after_a_delete_was_compacted_away_says_that_it_cannot_know(
    broker: Broker, topics: Topics
) -> None:
    topic = await topics.create(config=COMPACTED)
    await put(broker.bootstrap, topic, ("k1", "1"), ("k2", "1"))
    async with running(serve(broker, topic)) as url:
        watcher = await watch(url)
        away = watcher.cursor
        await put(broker.bootstrap, topic, ("k1", None), ("k3", "1"))
        await watcher.until(lambda seen: told(seen.frames)[-1] == ("put", "items/k3", 1))
        await watcher.close()
    await expire_tombstones(broker.bootstrap, topic, filler=FILLER)
    async with running(serve(broker, topic, delete_retention_s=SHORT_S)) as url:
        snapshot = [("put", "items/k2", 1), ("put", "items/k3", 1)]
        assert await begins_with(url, away) == [("reset", "expired"), *snapshot, ("synced", False)]
        late = await watch(url)
        assert await begins_with(url, late.cursor) == [("synced", True)]
        await late.close()


async def test_one_resource_that_still_exists_needs_no_delete_to_resume(broker: Broker, topics: Topics) -> None:
    topic = await topics.create(config=COMPACTED)
    await put(broker.bootstrap, topic, ("k1", "1"), ("k2", "1"))
    server = serve(broker, topic, delete_retention_s=SHORT_S)
    async with running(server) as url:
        one = await open_watch("websocket", url, Ask((Watch("items", "k2"),)))
        await one.wait_synced()
        await put(broker.bootstrap, topic, ("k1", None), ("k2", "2"), ("k3", "3"))
        await eventually(lambda: server.hub.channels["items"].table.floors[0] > 0, "the tombstone has expired")
        again = await open_watch("websocket", url, one.ask.resume(told_first(one)))
        await again.wait_synced()
        assert told(again.frames) == [("put", "items/k2", 2), ("synced", True)]
        await one.close()
        await again.close()


def told_first(watcher: Watcher) -> str | None:
    """The first cursor that it got."""
    return next(entry.cursor for entry in watcher.recording.entries if entry.cursor)
