"""Names of resources: whatever a key may be, it is one path segment in a URL and itself everywhere else."""

from typing import Final

import pytest

from tests.conformance.matrix import WATCHES
from tests.conformance.scene import Scene
from tests.support.client import Ask, Http, Watch

NAMES: Final = {
    "slashes": "a/b//c/",
    "unicode": "ключ-é-日本-🦊",
    "percent": "100%25 of %2F",
    "url": "https://example.org/?q=a+b&c=d#e",
    "space": " lead and trail ",
    "quotes": "\"'<>\\",
    "control": "tab\tand\x7f",
    "line break": "a\r\nb",
    "dots": "...",
    "reserved inside": "stream/x",
    "looks like a prefix": "x?prefix=y",
    "longest": "é" * 256,
}
NAMED = pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())


@NAMED
async def test_a_resource_of_any_name_is_written_read_and_watched(scene: Scene, reader: Http, name: str) -> None:
    watch = Watch("others", name)
    written = await scene.writer.put(watch.label, {"name": name})
    assert written.resource == watch.label
    answer = await reader.get(Ask((watch,), at_least=written.cursor).target())
    assert answer.json() == {"name": name}
    for transport in WATCHES:
        watcher = await scene.open(ask=Ask((watch,)), transport=transport)
        await watcher.wait_synced()
        put, synced = watcher.story[:2]
        assert (put["resource"], put["data"]) == (watch.label, {"name": name})
        assert synced["watch"] == watch.label


@NAMED
async def test_a_prefix_of_any_name_is_a_label_in_frames(scene: Scene, reader: Http, name: str) -> None:
    watch = Watch("others", prefix=name[: len(name) // 2 + 1])
    written = await scene.writer.put(f"others/{name}", 1)
    await reader.get(Ask((Watch("others", name),), at_least=written.cursor).target())
    for transport in WATCHES:
        watcher = await scene.open(ask=Ask((watch,)), transport=transport)
        await watcher.wait_synced()
        synced = await watcher.wait_for(lambda frame: bool(frame["event"] == "synced"))
        assert synced["watch"] == watch.label
        assert f"others/{name}" in {frame["resource"] for frame in watcher.data}
        assert all(watch.covers(frame["resource"]) for frame in watcher.data)


async def test_an_encoded_slash_and_a_plain_one_are_not_the_same(scene: Scene, reader: Http) -> None:
    written = await scene.writer.put(f"others/{scene.name}/x", 1)
    assert (await reader.get(f"/v1/others/{scene.name}%2Fx?at_least={written.cursor}")).status == 200
    assert (await reader.get(f"/v1/others/{scene.name}%2fx")).status == 200
    assert (await reader.get(f"/v1/others/{scene.name}/x")).status == 404


async def test_a_label_by_url_is_decoded_once(scene: Scene) -> None:
    watches = (Watch("others", "a%2Fb"), Watch("others", prefix="50%"))
    for transport in ("sse", "websocket_url", "longpoll"):
        watcher = await scene.open(ask=Ask(watches), transport=transport)
        await watcher.wait_synced()
        labels = {frame["watch"] for frame in watcher.frames if frame["event"] == "synced"}
        assert labels == {"others/a%2Fb", "others?prefix=50%"}
