"""A push server drains, or dies: the watcher goes on elsewhere and misses nothing."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.conformance.matrix import STREAMS, WATCHES, cases
from tests.conformance.scene import Scene
from tests.support.client import Watcher
from tests.support.fleet import Fleet, Service

LEAVING = pytest.mark.parametrize("case", cases(WATCHES, ("prefix",), ("log",)))


@pytest_asyncio.fixture(loop_scope="session")
async def leaver(fleet: Fleet) -> AsyncIterator[Service]:
    """A push server that a test may end."""
    server = await fleet.add_server()
    yield server
    await server.shut()


async def watch_to_the_end(scene: Scene, leaver: Service) -> Watcher:
    await scene.put_all()
    watcher = await scene.open(leaver)
    await scene.converged(watcher)
    await scene.put_all()
    await scene.converged(watcher)
    return watcher


async def goes_on(scene: Scene, watcher: Watcher) -> None:
    known, start = scene.state(), len(scene.changes)
    await scene.put_all()
    again = await scene.open(cursor=watcher.cursor)
    await scene.converged(again, known)
    assert scene.written_since(start) <= {(f["resource"], int(f["version"])) for f in again.data}
    assert "reset" not in {frame["event"] for frame in again.frames}


@LEAVING
async def test_row_push_server_drains(scene: Scene, leaver: Service) -> None:
    """`bookmark`, `goaway`, close 1012, spread over the drain window; the cursor works elsewhere."""
    watcher = await watch_to_the_end(scene, leaver)
    leaver.terminate()
    end = await watcher.recording.wait_end()
    if scene.case.transport in STREAMS:
        bookmark, goaway = watcher.frames[-2:]
        assert [bookmark["event"], goaway["event"]] == ["bookmark", "goaway"]
        assert goaway["cursor"] == bookmark["cursor"]
        assert goaway["reconnect_in_ms"] >= 0
        assert end.code == (0 if scene.case.transport == "sse" else 1012)
    else:
        assert end.code in {503, 1006}, "a poll is answered; the next one is refused, or finds nobody"
    assert await leaver.wait_exit() == 0, leaver.log_tail()
    await goes_on(scene, watcher)


@LEAVING
async def test_row_push_server_dies(scene: Scene, leaver: Service) -> None:
    """The client resumes elsewhere with its last cursor: nothing lost."""
    watcher = await watch_to_the_end(scene, leaver)
    await leaver.kill()
    await watcher.recording.wait_end()
    await goes_on(scene, watcher)
