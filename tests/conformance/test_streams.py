"""What an EventSource sees (protocol section 3): headers, ids, retry, several watches."""

import asyncio

import aiohttp
import pytest

from tests.conformance.matrix import Case, cases
from tests.conformance.scene import Scene, keys
from tests.support.client import Ask, Watch
from tests.support.client_sse import SseWatcher

SSE = pytest.mark.parametrize("case", cases(("sse",), modes=("state",)))


async def stream(scene: Scene, ask: Ask | None = None) -> SseWatcher:
    watcher = await scene.open(ask=ask, transport="sse")
    assert isinstance(watcher, SseWatcher)
    return watcher


async def test_the_headers_of_a_stream_forbid_buffering(scene: Scene) -> None:
    watcher = await stream(scene)
    headers = watcher.response.headers
    assert headers["Cache-Control"] == "no-store, no-transform"
    assert headers["X-Accel-Buffering"] == "no"
    assert "Content-Encoding" not in headers


async def test_the_first_bytes_are_the_retry_time(scene: Scene) -> None:
    async with aiohttp.ClientSession() as session:
        address = scene.here.url + scene.watch.path + "/stream"
        async with session.get(address) as response:
            assert (await response.content.readline()).startswith(b"retry: ")


async def test_an_absent_resource_is_a_stream_with_synced_and_no_put(scene: Scene) -> None:
    watcher = await stream(scene)
    await watcher.wait_synced()
    assert [frame["event"] for frame in watcher.frames] == ["synced"]


@SSE
async def test_the_address_for_clients_without_headers_is_the_same_stream(scene: Scene) -> None:
    await scene.put_all()
    watcher = await scene.open(transport="sse_stream")
    await scene.converged(watcher)


async def test_a_watch_of_one_resource_carries_an_id_on_every_data_frame(scene: Scene) -> None:
    await scene.put_all()
    watcher = await stream(scene)
    await scene.converged(watcher)
    await scene.put(scene.resource(0))
    await scene.delete(scene.resource(0))
    await scene.converged(watcher)
    data = [entry for entry in watcher.recording.entries if entry.frame and "resource" in entry.frame]
    assert len(data) == 3
    assert all(entry.cursor for entry in data)


@SSE
async def test_synced_and_bookmarks_carry_their_cursor_as_id(scene: Scene) -> None:
    watcher = await stream(scene)
    await watcher.wait_for(lambda frame: bool(frame["event"] == "bookmark"))
    for entry in watcher.recording.entries:
        if entry.frame and entry.frame["event"] in {"synced", "bookmark"}:
            assert entry.cursor in {entry.frame["cursor"], None}
    assert watcher.cursor == watcher.frames[-1]["cursor"]


@pytest.mark.parametrize("case", cases(("sse",), ("collection", "prefix")))
async def test_at_least_every_sixteenth_live_frame_brings_an_id(scene: Scene) -> None:
    watcher = await stream(scene)
    await watcher.wait_synced()
    start = len(watcher.recording.entries)
    await scene.burst(60)
    await scene.converged(watcher)
    gap, worst = 0, 0
    for entry in watcher.recording.entries[start:]:
        gap = 0 if entry.cursor else gap + 1
        worst = max(worst, gap)
    assert worst <= 16


@SSE
async def test_last_event_id_wins_over_cursor(scene: Scene) -> None:
    await scene.put_all()
    first = await stream(scene)
    await scene.converged(first)
    await first.close()
    change = await scene.put(scene.resources[0])
    await scene.applied()
    later = await stream(scene)
    await later.wait_synced()
    headers = {"Accept": "text/event-stream", "Last-Event-ID": first.cursor or ""}
    async with aiohttp.ClientSession() as session:
        target = scene.here.url + scene.ask(cursor=later.cursor).target()
        async with session.get(target, headers=headers) as response:
            async with asyncio.timeout(5):
                text = b""
                while b"event: synced" not in text:
                    text += await response.content.readany()
    assert f'"version":"{change.version}"'.encode() in text


@pytest.mark.parametrize("case", [Case("sse", "prefix", "state"), Case("sse", "prefix", "log")], ids=str)
async def test_several_watches_give_all_snapshots_and_then_every_synced(scene: Scene) -> None:
    await scene.put_all()
    await scene.applied()
    await scene.write_elsewhere(f"others/{scene.name}", 1)
    watches = (scene.watch, Watch("others", scene.name))
    watcher = await stream(scene, Ask(watches, mode=scene.case.mode))
    await watcher.wait_synced()
    events = [frame["event"] for frame in watcher.frames]
    assert events == sorted(events, key=["put", "synced"].index)
    synced = [frame for frame in watcher.frames if frame["event"] == "synced"]
    assert {frame["watch"] for frame in synced} == {watch.label for watch in watches}
    assert watcher.cursor == synced[-1]["cursor"]
    cursors = [entry.cursor for entry in watcher.recording.entries]
    assert cursors[:-1] == [None] * (len(cursors) - 1), "only the last synced is an id"


@pytest.mark.parametrize("transport", ["sse", "websocket_url", "longpoll"])
async def test_several_watches_by_url_resume_together(scene: Scene, transport: str) -> None:
    watches = (scene.watch, Watch("others", prefix=scene.name))
    first = await scene.open(ask=Ask(watches), transport=transport)
    await first.wait_synced()
    await first.close()
    change = await scene.put(scene.resource(0))
    other = await scene.writer.put(f"others/{scene.name}", 1)
    second = await scene.open(scene.there, ask=Ask(watches, cursor=first.cursor), transport=transport)
    wanted = {(change.resource, change.version), (other.resource, other.version)}
    await second.until(lambda seen: set(keys(seen.data)) == wanted)
    assert "reset" not in {frame["event"] for frame in second.frames}


@SSE
async def test_a_bookmark_says_how_fresh_the_server_is(scene: Scene) -> None:
    watcher = await stream(scene)
    first = await watcher.wait_for(lambda frame: bool(frame["event"] == "bookmark"))
    seen = len(watcher.frames)
    second = await watcher.wait_for(lambda frame: bool(frame["event"] == "bookmark"), after=seen)
    assert first["as_of"] < second["as_of"]
    assert first["skipped"] == second["skipped"] == 0
