"""A push server drains, or dies: the watcher goes on elsewhere and misses nothing."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple

import pytest
import pytest_asyncio

from infra.cluster.service import Service
from tests.conformance.matrix import STREAMS, WATCHES, Case
from tests.conformance.scene import Scene, keys
from tests.support.client import Watcher, Writer
from tests.support.fleet import Fleet
from tests.support.recording import End

EACH = pytest.mark.parametrize("transport", WATCHES)


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
    leaver = await fleet.add_server()
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
    """Watchers of a server that was stopped by SIGTERM."""
    async with watched(fleet, writer) as (leaver, pairs):
        leaver.terminate()
        left = await ended(pairs)
        assert await leaver.wait_exit() == 0, leaver.log_tail()
        yield left


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def bereft(fleet: Fleet, writer: Writer) -> AsyncIterator[Mapping[str, Left]]:
    """Watchers of a server that was ended by SIGKILL."""
    async with watched(fleet, writer) as (leaver, pairs):
        await leaver.kill()
        yield await ended(pairs)


async def goes_on(left: Left) -> None:
    scene, known, start = left.scene, left.scene.state(), len(left.scene.changes)
    await scene.put_all()
    again = await scene.open(cursor=left.watcher.cursor)
    await scene.converged(again, known)
    assert scene.written_since(start) <= set(keys(again.data))
    assert "reset" not in {frame["event"] for frame in again.frames}


@EACH
async def test_row_push_server_drains(drained: Mapping[str, Left], transport: str) -> None:
    """`bookmark`, `goaway`, close 1012, spread over the drain window; the cursor works elsewhere."""
    left = drained[transport]
    if transport in STREAMS:
        bookmark, goaway = left.watcher.frames[-2:]
        assert [bookmark["event"], goaway["event"]] == ["bookmark", "goaway"]
        assert goaway["cursor"] == bookmark["cursor"]
        assert goaway["reconnect_in_ms"] >= 0
        assert left.end.code == (0 if transport == "sse" else 1012)
    else:
        assert left.end.code in {503, 1006}, "a poll is answered; the next one is refused, or finds nobody"
    await goes_on(left)


@EACH
async def test_row_push_server_dies(bereft: Mapping[str, Left], transport: str) -> None:
    """The client resumes elsewhere with its last cursor: nothing lost."""
    await goes_on(bereft[transport])
