"""GET, HEAD and the conditional and waiting forms of GET (protocol section 2)."""

import asyncio
import time

import msgpack
import pytest

from tests.conformance.conftest import RawRecords
from tests.conformance.scene import Scene
from tests.support.client import Answer, Ask, Http, Watch


async def get(reader: Http, scene: Scene, **headers: str) -> Answer:
    """The state of the test's resource, after all that was written."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    ask = Ask((scene.watch,), at_least=scene.changes[-1].written.cursor if scene.changes else None)
    return await reader.get(ask.target(), headers=named)


async def test_a_get_answers_the_bare_value_with_its_validators(scene: Scene, reader: Http) -> None:
    change = await scene.put(scene.resource(0), {"price": 1})
    answer = await get(reader, scene)
    assert (answer.status, answer.json(), answer.media_type) == (200, {"price": 1}, "application/json")
    assert answer.version() == str(change.version)
    assert "accept" in answer.headers["Vary"].lower()
    assert answer.headers["Watch-Cursor"]


async def test_json_null_is_a_value(scene: Scene, reader: Http) -> None:
    await scene.writer.put(scene.resource(0), None)
    await scene.put(scene.resource(1))
    await scene.applied()
    answer = await reader.get(f"{scene.watch.path}?at_least={scene.changes[-1].written.cursor}")
    watcher = await scene.open()
    await watcher.wait_synced()
    assert (answer.status, answer.body.strip()) == (200, b"null")
    assert watcher.story[0]["event"] == "put"
    assert watcher.story[0]["data"] is None
    assert "data" in watcher.story[0]


async def test_an_unchanged_state_is_not_sent_again(scene: Scene, reader: Http) -> None:
    await scene.put(scene.resource(0))
    etag = (await get(reader, scene)).headers["ETag"]
    for condition in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        answer = await get(reader, scene, If_None_Match=condition)
        assert (answer.status, answer.body) == (304, b""), condition
        assert answer.headers["ETag"] == etag
        assert answer.headers["Watch-Cursor"]
    await scene.put(scene.resource(0))
    assert (await get(reader, scene, If_None_Match=etag)).status == 200


async def test_both_servers_give_the_same_etag(scene: Scene, reader: Http) -> None:
    await scene.put(scene.resource(0))
    async with Http(scene.there.url) as other:
        tags = {(await get(http, scene)).headers["ETag"] for http in (reader, other)}
    assert len(tags) == 1


async def test_an_absent_resource_is_a_404_with_a_cursor(scene: Scene, reader: Http) -> None:
    answer = await get(reader, scene)
    assert answer.status == 404
    assert answer.problem()["code"] == "not_found"
    watcher = await scene.open(ask=Ask((scene.watch,), cursor=answer.headers["Watch-Cursor"]))
    await watcher.wait_synced()
    await scene.put(scene.resource(0))
    await scene.converged(watcher)


async def test_a_deleted_resource_is_a_404(scene: Scene, reader: Http) -> None:
    await scene.put(scene.resource(0))
    etag = (await get(reader, scene)).headers["ETag"]
    await scene.delete(scene.resource(0))
    answer = await get(reader, scene, If_None_Match=etag)
    assert answer.status == 404
    assert answer.headers["Watch-Cursor"]


async def test_the_cursor_of_a_get_goes_on_where_it_stood(scene: Scene, reader: Http) -> None:
    await scene.put(scene.resource(0))
    answer = await get(reader, scene)
    newer = await scene.put(scene.resource(0))
    watcher = await scene.open(scene.there, cursor=answer.headers["Watch-Cursor"])
    await watcher.wait_for(lambda frame: bool(frame["event"] == "put"))
    assert [int(frame["version"]) for frame in watcher.data] == [newer.version]


async def test_head_answers_as_get_without_a_body(scene: Scene, reader: Http) -> None:
    await scene.put(scene.resource(0))
    full = await get(reader, scene)
    head = await reader.request("HEAD", scene.watch.path)
    assert (head.status, head.body) == (200, b"")
    for name in ("ETag", "Content-Type", "Content-Length", "Watch-Cursor", "Vary"):
        assert head.headers[name] == full.headers[name]
    absent = await reader.request("HEAD", "/v1/items/absent")
    assert (absent.status, absent.body) == (404, b"")
    assert absent.headers["Watch-Cursor"]
    listing = await reader.request("HEAD", "/v1/items")
    assert (listing.status, listing.body) == (200, b"")


async def test_msgpack_is_another_representation_with_its_own_etag(scene: Scene, reader: Http) -> None:
    await scene.put(scene.resource(0), {"price": 1.5, "name": "é"})
    plain = await get(reader, scene)
    packed = await get(reader, scene, Accept="application/msgpack")
    assert packed.media_type == "application/msgpack"
    assert msgpack.unpackb(packed.body) == {"price": 1.5, "name": "é"}
    assert packed.headers["ETag"] == plain.headers["ETag"].removesuffix('"') + '.msgpack"'
    etag = plain.headers["ETag"]
    assert (await get(reader, scene, Accept="application/msgpack", If_None_Match=etag)).status == 200
    etag = packed.headers["ETag"]
    assert (await get(reader, scene, Accept="application/msgpack", If_None_Match=etag)).status == 304


@pytest.mark.parametrize("accept", ["*/*", "application/*", "text/html, */*;q=0.1", "application/json", ""])
async def test_json_is_what_most_clients_accept(scene: Scene, reader: Http, accept: str) -> None:
    await scene.put(scene.resource(0))
    answer = await get(reader, scene, Accept=accept)
    assert (answer.status, answer.media_type) == (200, "application/json")


async def test_a_long_poll_by_prefer_answers_on_change(scene: Scene, reader: Http) -> None:
    await scene.put(scene.resource(0))
    etag = (await get(reader, scene)).headers["ETag"]
    headers = {"If-None-Match": etag, "Prefer": "wait=20"}
    waiting = asyncio.create_task(reader.get(scene.watch.path, headers=headers))
    change = await scene.put(scene.resource(0))
    answer = await asyncio.wait_for(waiting, 5)
    assert (answer.status, answer.json()) == (200, change.data)
    assert answer.headers["Preference-Applied"] == "wait=20"


async def test_a_long_poll_by_prefer_sees_a_delete(scene: Scene, reader: Http) -> None:
    await scene.put(scene.resource(0))
    etag = (await get(reader, scene)).headers["ETag"]
    headers = {"If-None-Match": etag, "Prefer": "wait=20"}
    waiting = asyncio.create_task(reader.get(scene.watch.path, headers=headers))
    await scene.delete(scene.resource(0))
    assert (await asyncio.wait_for(waiting, 5)).status == 404


async def test_a_long_poll_by_prefer_ends_without_news(scene: Scene, reader: Http) -> None:
    await scene.put(scene.resource(0))
    etag = (await get(reader, scene)).headers["ETag"]
    started = time.monotonic()
    answer = await get(reader, scene, If_None_Match=etag, Prefer="wait=1")
    assert 0.8 < time.monotonic() - started < 3
    assert answer.status == 304
    assert answer.headers["Preference-Applied"] == "wait=1"
    assert answer.headers["ETag"] == etag


async def test_a_long_poll_by_prefer_without_a_validator_answers_at_once(scene: Scene, reader: Http) -> None:
    await scene.put(scene.resource(0))
    started = time.monotonic()
    assert (await get(reader, scene, Prefer="wait=20")).status == 200
    assert time.monotonic() - started < 2


async def test_the_text_of_a_value_is_passed_through(scene: Scene, reader: Http, raw_records: RawRecords) -> None:
    text = b'{"n": 1.10, "big": 123456789012345678901234567890, "e": 1E2, "s": "\\u00e9"}'
    await raw_records("items", scene.name + "-0", text)
    stream = await scene.open()
    await stream.wait_for(lambda frame: bool(frame["event"] == "put"))
    assert (await reader.get(scene.watch.path)).body == text
    listing = await reader.get(Ask((Watch("items", prefix=scene.name),)).target())
    assert text in listing.body
