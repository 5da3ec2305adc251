"""A push server drains, or dies: the watcher goes on elsewhere and misses nothing."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

import pytest
import pytest_asyncio

from infra.cluster.service import Service
from tests.conformance.matrix import STREAMS, WATCHES, Case
from tests.conformance.scene import Scene, keys
from tests.support.client import Watcher, WebSocketWatcher, Writer
from tests.support.fleet import Fleet
from tests.support.recording import End

EACH = pytest.mark.parametrize("transport", WATCHES)
OVERLAP_MS: Final = 3000
"""Writes take a while on a machine that is busy; the end of it is waited for."""


class Left(NamedTuple):
    """A watcher whose server has left, and how that ended its watch."""

    scene: Scene
    watcher: Watcher
    end: End


async def watch(scene: Scene, leaver: Service) -> Watcher:
    await scene.put_all()
    watcher = await scene.open(leaver)
    await scene.converged(watcher)
    await scene.put_all()
    await scene.converged(watcher)
    return watcher


@asynccontextmanager
async def watched(fleet: Fleet, writer: Writer) -> AsyncIterator[tuple[Service, Mapping[str, tuple[Scene, Watcher]]]]:
    """A server of its own with a watcher for each transport."""
    # No bookmark but those that its leaving brings.
    leaver = await fleet.add_server(overlap_ms=OVERLAP_MS, bookmark_interval_s=60)
    scenes = [Scene(fleet, writer, Case(transport, "prefix", "log")) for transport in WATCHES]
    watchers = await asyncio.gather(*(watch(scene, leaver) for scene in scenes))
    pairs = zip(scenes, watchers, strict=True)
    yield leaver, {scene.case.transport: (scene, watcher) for scene, watcher in pairs}
    await asyncio.gather(*(scene.close() for scene in scenes))
    await leaver.shut()


async def ended(pairs: Mapping[str, tuple[Scene, Watcher]]) -> dict[str, Left]:
    return {name: Left(scene, seen, await seen.recording.wait_end()) for name, (scene, seen) in pairs.items()}


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def drained(fleet: Fleet, writer: Writer) -> AsyncIterator[Mapping[str, Left]]:
    """Watchers of a server that was stopped by SIGTERM, and stayed as long as they could."""
    async with watched(fleet, writer) as (leaver, pairs):
        leaver.terminate()
        await asyncio.gather(*(told_on(*pair) for name, pair in pairs.items() if name in STREAMS))
        left = await ended(pairs)
        assert await leaver.wait_exit() == 0, leaver.log_tail()
        yield left


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def bereft(fleet: Fleet, writer: Writer) -> AsyncIterator[Mapping[str, Left]]:
    """Watchers of a server that was ended by SIGKILL."""
    async with watched(fleet, writer) as (leaver, pairs):
        await leaver.kill()
        yield await ended(pairs)


async def told_on(scene: Scene, watcher: Watcher) -> None:
    """Have it told changes after its `goaway`, and a WebSocket answer."""
    await watcher.wait_for(lambda frame: frame["event"] == "goaway")
    start = len(scene.changes)
    await scene.put_all()
    await watcher.until(lambda seen: scene.written_since(start) <= set(keys(seen.data)))
    if isinstance(watcher, WebSocketWatcher):
        assert (await watcher.ask_back({"op": "ping", "ref": "still here"}))["event"] == "pong"


async def goes_on(left: Left) -> Watcher:
    scene, known, start = left.scene, left.scene.state(), len(left.scene.changes)
    await scene.put_all()
    again = await scene.open(cursor=left.watcher.cursor)
    await scene.converged(again, known)
    assert scene.written_since(start) <= set(keys(again.data))
    assert "reset" not in {frame["event"] for frame in again.frames}
    return again


@EACH
async def test_row_push_server_drains(drained: Mapping[str, Left], transport: str) -> None:
    """`bookmark` and `goaway`, spread over the drain window; it is told on, and at the deadline `bookmark`, 1012."""
    left = drained[transport]
    if transport not in STREAMS:
        assert left.end.code in {503, 1006}, "a poll is answered; the next one is refused, or finds nobody"
        await goes_on(left)
        return
    frames = left.watcher.frames
    at = [frame["event"] for frame in frames].index("goaway")
    bookmark, goaway, last = frames[at - 1], frames[at], frames[-1]
    assert bookmark["event"] == last["event"] == "bookmark"
    assert goaway["cursor"] == bookmark["cursor"] != last["cursor"]
    assert goaway["reconnect_in_ms"] >= 0
    assert left.end.code == (0 if transport == "sse" else 1012)
    assert left.watcher.cursor == last["cursor"]
    again = await goes_on(left)
    assert not set(keys(left.watcher.data)) & set(keys(again.data)), "the last cursor is for all that was told"


@EACH
async def test_row_push_server_dies(bereft: Mapping[str, Left], transport: str) -> None:
    """The client resumes elsewhere with its last cursor: nothing lost."""
    await goes_on(bereft[transport])
