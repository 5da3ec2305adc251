"""Guarantees 1 to 6 of protocol section 5, over every transport, kind of watch and mode (7 has its own file)."""

import asyncio

import pytest

from tests.conformance.cursors import with_another_epoch
from tests.conformance.matrix import WATCHES, cases
from tests.conformance.scene import Scene, assert_ordered, fold, keys, uncovered
from tests.support.client import Ask, Watcher


@pytest.mark.parametrize("case", cases())
async def test_guarantee_1_ordered(scene: Scene) -> None:
    """Versions of one resource strictly increase on a connection."""
    await scene.put_all()
    watcher = await scene.open()
    await watcher.wait_synced()
    start = len(scene.changes)
    for step in range(4):
        await asyncio.gather(*(scene.put(resource) for resource in scene.resources))
        if step == 2:
            await scene.delete(scene.resources[0])
    await scene.burst(5)
    await scene.converged(watcher)
    assert_ordered(watcher.data)
    if scene.case.mode == "log":
        assert scene.written_since(start) <= set(keys(scene.mine(watcher.data)))


@pytest.mark.parametrize("case", cases())
async def test_guarantee_2_convergent(scene: Scene) -> None:
    """With no further writes, every watcher ends with the newest state of everything in scope."""
    early = await scene.open()
    await early.wait_synced()
    burst = asyncio.create_task(scene.burst(40))
    late = await scene.open(scene.there)
    await burst
    await scene.delete(scene.resources[-1])
    for watcher in (early, late, await scene.open(), await scene.open(scene.there)):
        await scene.converged(watcher)
        assert_ordered(watcher.data)


@pytest.mark.parametrize("case", cases())
async def test_guarantee_3_resumable(scene: Scene) -> None:
    """A cursor from any transport and server resumes on any other, without loss."""
    await scene.put_all()
    first = await scene.open()
    await scene.converged(first)
    await scene.put_all()
    await scene.converged(first)
    cursor = first.cursor
    await first.cut()
    assert cursor, "a watcher always has a cursor to resume from"
    known, repeated, start = scene.state(), uncovered(first.recording.entries), len(scene.changes)
    await scene.put_all()
    await scene.delete(scene.resources[-1])
    again = [await scene.open(scene.there, transport=to, cursor=cursor) for to in WATCHES]
    for watcher in again:
        await scene.converged(watcher, known)
        assert_resumed(scene, watcher, start, repeated)


def assert_resumed(scene: Scene, watcher: Watcher, start: int, repeated: set[tuple[str, int]]) -> None:
    wanted = scene.written_since(start) if scene.case.mode == "log" else scene.newest_since(start)
    seen = set(keys(scene.mine(watcher.data)))
    assert wanted <= seen, f"{watcher.transport} misses {wanted - seen}"
    assert seen <= scene.written_since(start) | repeated, f"{watcher.transport} repeats what the cursor covers"
    events = [frame["event"] for frame in watcher.frames]
    assert "reset" not in events


@pytest.mark.parametrize("case", cases(WATCHES))
async def test_guarantee_4_honest(scene: Scene) -> None:
    """When continuity can't be proved the watcher is told, and what it is told leads on."""
    await scene.put_all()
    first = await scene.open()
    await scene.converged(first)
    bad = with_another_epoch(first.cursor)
    if scene.case.mode == "state":
        second = await scene.open(scene.there, cursor=bad)
        await scene.converged(second)
        assert second.story[0]["event"] == "reset"
        assert second.story[0]["reason"] in {"expired", "epoch", "cursor"}
        assert second.story[0]["watch"] == scene.watch.label
    else:
        problem = await scene.refused(scene.there, cursor=bad)
        assert problem["code"] == "expired"
        second = await scene.open(scene.there, cursor=problem["cursor"])
    await scene.put_all()
    await scene.converged(second)


@pytest.mark.parametrize("case", cases(WATCHES))
async def test_guarantee_5_bookmarkable(scene: Scene) -> None:
    """After a `synced` or `bookmark` with cursor C, no event at or before C arrives for the watches that C covers.

    What lies after C is what a resume from C in log mode brings, on the other server.
    """
    await scene.put_all()
    watcher = await scene.open()
    await scene.converged(watcher)
    await scene.burst(3)
    marked = len(watcher.recording.entries)
    await scene.converged(watcher)
    await watcher.until(lambda seen: any(entry.cursor for entry in seen.entries[marked:]))
    await scene.burst(3)
    await scene.converged(watcher)
    entries = watcher.recording.entries
    marks = [index for index, entry in enumerate(entries) if entry.cursor]
    for index in {marks[0], marks[len(marks) // 2], marks[-1]}:
        after = set(keys(scene.mine(e.frame for e in entries[index + 1 :] if e.frame)))
        ask = Ask((scene.watch,), mode="log", cursor=entries[index].cursor)
        resumed = await scene.open(scene.there, ask=ask)
        await scene.sees(resumed, after)
        early = after - set(keys(scene.mine(resumed.data)))
        assert not early, f"{early} came after a cursor that covers it"


@pytest.mark.parametrize("case", cases())
async def test_guarantee_6_fresh(scene: Scene) -> None:
    """Whoever presents a cursor never sees a state older than it, also on a server that lags."""
    resource = scene.resources[0]
    await scene.put(resource)
    lagging = await scene.open(scene.there)
    await scene.converged(lagging)
    scene.there.freeze()
    try:
        await scene.burst(20)
        newest = await scene.put(resource)
        known = scene.state()
        cursor = newest.written.cursor if scene.case.kind == "resource" else await scene.newest_cursor()
        name = "at_least" if scene.case.transport == "shortpoll" else "cursor"
        opening = asyncio.create_task(scene.open(scene.there, ask=scene.ask(**{name: cursor})))
        await scene.put(scene.outsider)
    finally:
        scene.there.thaw()
    watcher = await opening
    await scene.put(resource)
    await scene.converged(watcher, known)
    versions = [int(frame["version"]) for frame in watcher.data if frame["resource"] == resource]
    oldest = newest.version if scene.case.transport == "shortpoll" else newest.version + 1
    assert all(version >= oldest for version in versions), (newest, versions)


@pytest.mark.parametrize("case", cases())
async def test_row_connect(scene: Scene) -> None:
    """`put`… (state now) → `synced` → live; what was deleted is not there."""
    await scene.put_all()
    await scene.put_all()
    await scene.delete(scene.resources[-1])
    if scene.case.kind == "resource":
        await scene.put(scene.resources[0])
    await scene.applied()
    watcher = await scene.open()
    await watcher.wait_synced()
    assert sorted(keys(scene.mine(watcher.data))) == sorted((name, state[0]) for name, state in scene.state().items())
    if scene.case.transport != "shortpoll":
        assert_connected(scene, watcher)
    await scene.put(scene.resources[0])
    await scene.delete(scene.resources[0])
    await scene.converged(watcher)
    if scene.case.mode == "log":
        assert [frame["event"] for frame in watcher.data[-2:]] == ["put", "delete"]


def assert_connected(scene: Scene, watcher: Watcher) -> None:
    events = [frame["event"] for frame in watcher.story]
    assert set(events[: events.index("synced")]) == {"put"}
    synced = watcher.story[events.index("synced")]
    assert synced["watch"] == scene.watch.label
    assert synced["resumed"] is False
    assert synced["cursor"]


@pytest.mark.parametrize("case", cases(WATCHES))
async def test_row_connect_without_snapshot(scene: Scene) -> None:
    """`snapshot=false`: `synced`, live."""
    await scene.put_all()
    await scene.applied()
    known = scene.state()
    watcher = await scene.open(snapshot=False)
    await watcher.wait_synced()
    assert [frame["event"] for frame in watcher.story[:1]] == ["synced"]
    start = len(scene.changes)
    await scene.put_all()
    await scene.converged(watcher, known)
    assert set(keys(scene.mine(watcher.data))) == scene.written_since(start)


@pytest.mark.parametrize("case", cases(WATCHES))
async def test_row_resume(scene: Scene) -> None:
    """Only what changed after the cursor, deletes included → `synced{resumed:true}` → live."""
    await scene.put_all()
    await scene.applied()
    first = await scene.open()
    await first.wait_synced()
    cursor = first.cursor
    await first.close()
    known, start = fold(scene.mine(first.data)), len(scene.changes)
    await scene.delete(scene.resources[0])
    await scene.applied()
    second = await scene.open(cursor=cursor)
    await second.wait_synced()
    assert keys(scene.mine(second.data)) == list(scene.written_since(start))
    if scene.case.transport != "longpoll":
        events = scene.own(second.story)
        assert [frame["event"] for frame in events[:2]] == ["delete", "synced"]
        assert events[1]["resumed"] is True
    await scene.put_all()
    await scene.converged(second, known)
