"""GET of a collection: JSON pages and NDJSON (protocol section 2)."""

import json

import pytest

from tests.conformance.matrix import Case
from tests.conformance.scene import Scene, keys
from tests.support.client import Ask, Http, Watch
from tests.support.recording import Frame


@pytest.fixture
def case() -> Case:
    return Case("sse", "prefix", "state")


async def five(scene: Scene) -> list[tuple[str, int]]:
    """Five resources and one that was deleted; resource and version of the five, by name."""
    for number in range(6):
        await scene.put(scene.resource(number))
    await scene.delete(scene.resource(5))
    await scene.applied()
    return sorted((name, state[0]) for name, state in scene.state().items())


async def test_a_listing_is_a_page_of_put_frames(scene: Scene, reader: Http) -> None:
    expected = await five(scene)
    answer = await reader.get(scene.ask().target())
    assert (answer.status, answer.media_type) == (200, "application/json")
    assert sorted(keys(answer.page())) == expected
    assert {frame["event"] for frame in answer.page()} == {"put"}
    assert all({"resource", "version", "time", "data"} <= set(frame) for frame in answer.page())
    assert answer.next_page() is None


async def test_pages_follow_each_other_by_link(scene: Scene, reader: Http) -> None:
    expected = await five(scene)
    frames: list[Frame] = []
    sizes = []
    target: str | None = scene.ask().target(extra=(("limit", "2"),))
    while target:
        answer = await reader.get(target)
        frames += answer.page()
        sizes.append(len(answer.page()))
        target = answer.next_page()
    assert sorted(keys(frames)) == expected
    assert max(sizes) == 2
    assert len(sizes) <= 4


async def test_ndjson_streams_one_put_a_line(scene: Scene, reader: Http) -> None:
    expected = await five(scene)
    answer = await reader.get(scene.ask().target(), headers={"Accept": "application/x-ndjson"})
    assert (answer.status, answer.media_type) == (200, "application/x-ndjson")
    frames = [json.loads(line) for line in answer.body.splitlines()]
    assert sorted(keys(frames)) == expected
    assert {frame["event"] for frame in frames} == {"put"}


async def test_ndjson_of_a_whole_collection_has_everything(scene: Scene, reader: Http) -> None:
    expected = await five(scene)
    answer = await reader.get("/v1/items", headers={"Accept": "application/x-ndjson"})
    frames = [json.loads(line) for line in answer.body.splitlines()]
    assert set(expected) <= set(keys(frames))
    assert len(frames) == len({frame["resource"] for frame in frames})


async def test_an_empty_listing_is_an_empty_page(reader: Http) -> None:
    answer = await reader.get(Ask((Watch("items", prefix="nobody-has-this"),)).target())
    assert (answer.status, answer.page(), answer.next_page()) == (200, [], None)


async def test_a_listing_and_a_watch_agree(scene: Scene, reader: Http) -> None:
    await five(scene)
    watcher = await scene.open()
    await watcher.wait_synced()
    assert sorted(keys(watcher.data)) == sorted(keys((await reader.get(scene.ask().target())).page()))


async def test_the_cursor_of_the_first_page_misses_nothing_of_the_whole_listing(scene: Scene, reader: Http) -> None:
    await five(scene)
    first = await reader.get(scene.ask().target(extra=(("limit", "2"),)))
    known, start = scene.state(), len(scene.changes)
    await scene.put(scene.resource(0))
    await scene.delete(scene.resource(4))
    watcher = await scene.open(scene.there, cursor=first.json()["cursor"])
    await scene.converged(watcher, known)
    assert set(keys(watcher.data)) == scene.written_since(start)


@pytest.mark.parametrize("limit", ["0", "-1", "many", "1.5", ""])
async def test_a_limit_that_is_none_is_invalid(reader: Http, limit: str) -> None:
    answer = await reader.get(f"/v1/items?limit={limit}")
    assert (answer.status, answer.problem()["code"]) == (400, "invalid")
