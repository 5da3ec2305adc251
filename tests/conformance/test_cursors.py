"""What becomes of cursors that are not simply the last one of the same watch (protocol sections 4 and 8)."""

import time
from typing import Any

import pytest

from tests.conformance.cursors import ahead
from tests.conformance.matrix import WATCHES, Case, cases
from tests.conformance.scene import Scene, keys
from tests.support.client import Ask, Http, Watch, Watcher
from tests.support.fleet import Fleet

STATE = pytest.mark.parametrize("case", cases(WATCHES, ("collection",), ("state",)))
LOG = pytest.mark.parametrize("case", cases(WATCHES, ("collection",), ("log",)))
ALL = pytest.mark.parametrize("case", cases(WATCHES, ("collection",)))


async def cursor_of(scene: Scene, watch: Watch) -> str:
    """The first cursor of a watch that is synced."""
    watcher = await scene.open(ask=Ask((watch,)))
    await watcher.wait_synced()
    assert watcher.cursor
    return watcher.cursor


async def resets(scene: Scene, cursor: str, **parameters: Any) -> Watcher:
    """A watch resumed from an unusable cursor: `reset`, then the snapshot."""
    watcher = await scene.open(cursor=cursor, **parameters)
    await watcher.wait_synced()
    reset, *rest = watcher.story
    assert reset["event"] == "reset"
    synced = [frame for frame in rest if frame["event"] == "synced"]
    assert all(frame["resumed"] is False for frame in synced)
    await scene.converged(watcher)
    return watcher


@STATE
async def test_a_cursor_beyond_the_end_of_the_log_leads_to_a_reset(scene: Scene) -> None:
    await scene.put_all()
    await resets(scene, ahead(await cursor_of(scene, scene.watch), 1_000_000))


@LOG
async def test_a_cursor_beyond_the_end_of_the_log_is_expired_in_log_mode(scene: Scene) -> None:
    problem = await scene.refused(cursor=ahead(await cursor_of(scene, scene.watch), 1_000_000))
    assert problem["code"] == "expired"
    assert problem["cursor"]


@STATE
async def test_a_cursor_of_another_collection_leads_to_a_reset(scene: Scene) -> None:
    await scene.put_all()
    await resets(scene, await cursor_of(scene, Watch("others")))


@LOG
async def test_a_cursor_of_another_collection_is_expired_in_log_mode(scene: Scene) -> None:
    problem = await scene.refused(cursor=await cursor_of(scene, Watch("others")))
    assert problem["code"] == "expired"


@STATE
async def test_a_narrow_cursor_on_a_wider_watch_leads_to_a_reset(scene: Scene) -> None:
    await scene.put_all()
    await resets(scene, await cursor_of(scene, Watch("items", scene.resources[0].partition("/")[2])))


@STATE
async def test_a_cursor_of_a_prefix_on_the_collection_leads_to_a_reset(scene: Scene) -> None:
    await scene.put_all()
    await resets(scene, await cursor_of(scene, Watch("items", prefix=scene.name)))


@pytest.mark.parametrize("case", cases(WATCHES, ("resource",), ("state",)))
async def test_a_narrow_cursor_on_another_resource_leads_to_a_reset(scene: Scene) -> None:
    await scene.put_all()
    await resets(scene, await cursor_of(scene, Watch("items", "another")))


@pytest.mark.parametrize("case", cases(WATCHES, ("resource",), ("state",)))
async def test_the_cursor_of_several_narrow_watches_hides_nothing_from_another(scene: Scene) -> None:
    await scene.put(scene.resource(0))
    await scene.applied()
    others = Ask((Watch("items", f"{scene.name}-1"), Watch("items", f"{scene.name}-2")))
    first = await scene.open(ask=others)
    await first.wait_synced()
    await resets(scene, first.cursor or "")


@pytest.mark.parametrize("case", cases(WATCHES, ("resource",), ("state",)))
async def test_the_cursor_of_several_narrow_watches_is_good_for_each(scene: Scene) -> None:
    await scene.put(scene.resource(0))
    await scene.applied()
    first = await scene.open(ask=Ask((scene.watch, Watch("items", f"{scene.name}-1"))))
    await first.wait_synced()
    cursor = first.cursor
    newest = await scene.put(scene.resource(0))
    watcher = await scene.open(scene.there, cursor=cursor)
    await scene.converged(watcher)
    assert keys(watcher.data) == [(newest.resource, newest.version)]


@pytest.mark.parametrize("case", cases(WATCHES, ("collection", "prefix"), ("state",)))
async def test_the_cursor_of_a_write_on_a_wider_watch_hides_nothing(scene: Scene) -> None:
    await scene.put_all()
    newest = await scene.put(scene.resources[0])
    await scene.converged(await scene.open(scene.there, cursor=newest.written.cursor))


@pytest.mark.parametrize("case", cases(WATCHES, ("resource", "prefix")))
async def test_a_cursor_of_a_wide_watch_is_good_for_a_narrow_one(scene: Scene) -> None:
    await scene.put_all()
    await scene.applied()
    cursor = await cursor_of(scene, Watch("items"))
    start = len(scene.changes)
    await scene.put_all()
    await scene.applied()
    watcher = await scene.open(scene.there, cursor=cursor)
    await watcher.wait_synced()
    assert set(keys(scene.mine(watcher.data))) == scene.written_since(start)
    assert "reset" not in {frame["event"] for frame in watcher.frames}


@pytest.mark.parametrize("garbage", ["!", "AAAA", "x" * 20_000, "AQ=="], ids=["sign", "kind", "long", "padded"])
@ALL
async def test_a_cursor_that_is_none_is_invalid(scene: Scene, garbage: str) -> None:
    problem = await scene.refused(cursor=garbage)
    assert problem["code"] == "invalid"


@pytest.mark.parametrize("case", cases(WATCHES, ("prefix", "collection"), ("log",)))
async def test_an_expired_cursor_in_log_mode_tells_the_oldest_usable_one(scene: Scene) -> None:
    watch = Watch("short", prefix=scene.name if scene.case.kind == "prefix" else None)
    ask = Ask((watch,), mode="log", cursor=await cursor_of(scene, watch))
    versions = [(await scene.write_elsewhere(f"short/{scene.name}", number)).version for number in range(12)]
    problem = await scene.refused(ask=ask)
    assert problem["code"] == "expired"
    assert problem.get("status", 410) == 410
    again = await scene.open(ask=ask.resume(problem["cursor"]))
    await again.until(lambda seen: [int(frame["version"]) for frame in seen.data][-1:] == versions[-1:])
    seen = [int(frame["version"]) for frame in again.data]
    assert seen == versions[-len(seen) :], "from the oldest usable cursor on nothing is left out"
    assert len(seen) >= 2


@pytest.mark.parametrize("case", cases(WATCHES, ("collection",), ("state",)))
async def test_a_cursor_too_old_for_the_history_is_good_in_state_mode(scene: Scene) -> None:
    watch = Watch("short")
    cursor = await cursor_of(scene, watch)
    versions = [(await scene.writer.put(f"short/{scene.name}", number)).version for number in range(20)]
    watcher = await scene.open(ask=Ask((watch,), cursor=cursor))
    await watcher.until(lambda seen: [int(frame["version"]) for frame in seen.data][-1:] == versions[-1:])
    assert "reset" not in {frame["event"] for frame in watcher.frames}


async def test_at_least_of_what_no_server_has_is_refused_in_time(scene: Scene, reader: Http) -> None:
    change = await scene.put(scene.resource(0))
    started = time.monotonic()
    answer = await reader.get(Ask((scene.watch,), at_least=ahead(change.written.cursor, 1_000_000)).target())
    assert time.monotonic() - started < 6
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.problem()["code"] == "try_again"


async def test_at_least_reads_what_was_just_written(scene: Scene, fleet: Fleet) -> None:
    for number in range(20):
        change = await scene.put(scene.resource(0))
        async with Http(fleet.servers[number % 2].url) as http:
            answer = await http.get(Ask((scene.watch,), at_least=change.written.cursor).target())
        assert int(answer.version()) >= change.version


async def test_at_least_holds_for_a_listing_and_for_a_deleted_resource(scene: Scene, reader: Http) -> None:
    await scene.put(scene.resource(0))
    gone = await scene.delete(scene.resource(0))
    assert (await reader.get(Ask((scene.watch,), at_least=gone.written.cursor).target())).status == 404
    back = await scene.put(scene.resource(0))
    listing = Ask((Watch("items", prefix=scene.name),), at_least=back.written.cursor)
    assert keys((await reader.get(listing.target())).page()) == [(back.resource, back.version)]


@pytest.mark.parametrize("case", cases(WATCHES, ("resource", "prefix"), ("state",)))
async def test_at_least_holds_for_a_watch(scene: Scene) -> None:
    if scene.case.transport in {"websocket", "websocket_msgpack"}:
        scene.case = Case("websocket_url", scene.case.kind, "state")
    newest = await scene.put(scene.resources[0])
    watcher = await scene.open(scene.there, at_least=newest.written.cursor)
    await watcher.wait_synced()
    assert (newest.resource, newest.version) in keys(watcher.data)


async def test_cursors_are_short_and_safe_in_a_url(scene: Scene) -> None:
    change = await scene.put(scene.resource(0))
    wide = await cursor_of(scene, Watch("items"))
    for cursor, limit in ((wide, 80), (change.written.cursor, 26)):
        assert len(cursor) <= limit
        assert cursor.replace("-", "").replace("_", "").isalnum()
