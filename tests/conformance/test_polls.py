"""`/poll`: one answer at a time (protocol section 3)."""

import asyncio
import time
from typing import Any

import pytest

from tests.conformance.matrix import cases
from tests.conformance.scene import Scene, keys
from tests.support.client import Ask, Http

POLL = pytest.mark.parametrize("case", cases(("longpoll",)))


async def poll(http: Http, ask: Ask, wait: str | None = None) -> dict[str, Any]:
    answer = await http.get(ask.target("/poll", extra=(("wait", wait),) if wait else ()))
    assert (answer.status, answer.media_type) == (200, "application/json"), answer.body
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    assert set(body) == {"frames", "cursor"}
    return dict(body)


@POLL
async def test_the_first_poll_answers_at_once_with_the_snapshot(scene: Scene, reader: Http) -> None:
    await scene.put_all()
    await scene.applied()
    body = await poll(reader, scene.ask(), "20")
    assert [frame["event"] for frame in body["frames"]][-1] == "synced"
    assert {frame["event"] for frame in body["frames"][:-1]} == {"put"}
    assert sorted(keys(scene.mine(body["frames"]))) == sorted(scene.newest_since(0))


@POLL
async def test_a_poll_answers_as_soon_as_there_is_one_frame(scene: Scene, reader: Http) -> None:
    first = await poll(reader, scene.ask())
    waiting = asyncio.create_task(poll(reader, scene.ask(cursor=first["cursor"]), "20"))
    change = await scene.put(scene.resources[0])
    body = await asyncio.wait_for(waiting, 5)
    assert keys(body["frames"]) == [(change.resource, change.version)]


@POLL
async def test_a_poll_without_news_answers_after_its_wait(scene: Scene, reader: Http) -> None:
    first = await poll(reader, scene.ask())
    started = time.monotonic()
    body = await poll(reader, scene.ask(cursor=first["cursor"]), "1")
    assert body["frames"] == []
    assert 0.8 < time.monotonic() - started < 3
    change = await scene.put(scene.resources[0])
    again = await poll(reader, scene.ask(cursor=body["cursor"]), "5")
    assert keys(again["frames"]) == [(change.resource, change.version)]


@POLL
async def test_later_polls_have_no_synced(scene: Scene, reader: Http) -> None:
    first = await poll(reader, scene.ask())
    await scene.put(scene.resources[0])
    await scene.applied()
    body = await poll(reader, scene.ask(cursor=first["cursor"]), "5")
    assert "synced" not in {frame["event"] for frame in body["frames"]}


@pytest.mark.parametrize("wait", ["-1", "61", "x", "1.5e9", ""])
async def test_a_wait_that_is_none_is_invalid(scene: Scene, reader: Http, wait: str) -> None:
    answer = await reader.get(scene.watch.path + f"/poll?wait={wait}")
    assert (answer.status, answer.problem()["code"]) == (400, "invalid")


async def test_a_client_that_leaves_a_poll_leaves_nothing_behind(scene: Scene) -> None:
    async with Http(scene.here.url) as http:
        first = await poll(http, scene.ask())
        waiting = asyncio.create_task(poll(http, scene.ask(cursor=first["cursor"]), "30"))
        await scene.put("others/unrelated")
        waiting.cancel()
    async with Http(scene.here.url) as http:
        await scene.put(scene.resource(0))
        body = await poll(http, scene.ask(cursor=first["cursor"]), "5")
    assert len(body["frames"]) == 1
