"""The operations of the WebSocket transports (protocol section 3)."""

import json
from typing import Any

import pytest
from websockets.asyncio.client import connect

from tests.conformance.matrix import cases
from tests.conformance.scene import Scene, keys
from tests.support.client import Ask, Watch, WebSocketWatcher
from tests.support.recording import Frame

BOTH = pytest.mark.parametrize("case", cases(("websocket", "websocket_msgpack"), ("prefix",), ("state",)))


async def opened(scene: Scene, *watches: Watch) -> WebSocketWatcher:
    watcher = await scene.open(ask=Ask(watches or (scene.watch,)))
    assert isinstance(watcher, WebSocketWatcher)
    await watcher.wait_synced()
    return watcher


def named(watcher: WebSocketWatcher, event: str) -> list[Frame]:
    return [frame for frame in watcher.frames if frame["event"] == event]


@BOTH
async def test_a_subscribe_is_acknowledged_and_its_synced_echoes_the_ref(scene: Scene) -> None:
    watcher = await opened(scene)
    assert [frame["ref"] for frame in named(watcher, "ack")] == [1]
    assert [frame["ref"] for frame in named(watcher, "synced")] == [1]
    answer = await watcher.ask_back({"op": "subscribe", "watch": "items/other", "ref": "any text"})
    assert answer["event"] == "ack"
    synced = await watcher.wait_for(lambda frame: frame["event"] == "synced" and frame["watch"] == "items/other")
    assert synced["ref"] == "any text"


@BOTH
async def test_a_subscribe_without_a_ref_is_not_acknowledged(scene: Scene) -> None:
    watcher = await opened(scene)
    await watcher.send({"op": "subscribe", "watch": "items/other"})
    synced = await watcher.wait_for(lambda frame: frame["event"] == "synced" and frame["watch"] == "items/other")
    assert synced.get("ref") is None
    assert len(named(watcher, "ack")) == 1


@BOTH
async def test_subscribing_twice_is_acknowledged_and_sends_nothing_again(scene: Scene) -> None:
    await scene.put_all()
    await scene.applied()
    watcher = await opened(scene)
    before = len(watcher.frames)
    subscribe = {"op": "subscribe", "watch": "items", "prefix": scene.watch.prefix, "ref": 7}
    assert (await watcher.ask_back(subscribe))["event"] == "ack"
    assert (await watcher.ask_back({"op": "ping", "ref": 8}))["event"] == "pong"
    assert [f["event"] for f in watcher.frames[before:] if f["event"] != "bookmark"] == ["ack", "pong"]
    change = await scene.put(scene.resources[0])
    await scene.converged(watcher)
    assert keys(watcher.data).count((change.resource, change.version)) == 1


@BOTH
async def test_after_an_unsubscribe_nothing_more_comes_of_that_watch(scene: Scene) -> None:
    watcher = await opened(scene, scene.watch, Watch("others", scene.name))
    unsubscribe = {"op": "unsubscribe", "watch": "items", "prefix": scene.watch.prefix, "ref": "u"}
    assert (await watcher.ask_back(unsubscribe))["event"] == "ack"
    await scene.put_all()
    await scene.applied()
    await scene.writer.put(f"others/{scene.name}", 1)
    await watcher.wait_for(lambda frame: frame.get("resource") == f"others/{scene.name}")
    assert scene.mine(watcher.data) == []


@BOTH
async def test_after_an_unsubscribe_a_watch_can_be_asked_for_again(scene: Scene) -> None:
    await scene.put_all()
    await scene.applied()
    watcher = await opened(scene)
    subscribe = {"op": "subscribe", "watch": "items", "prefix": scene.watch.prefix, "ref": "again"}
    await watcher.ask_back({**subscribe, "op": "unsubscribe", "ref": "u"})
    await watcher.ask_back(subscribe)
    await watcher.wait_for(lambda frame: frame["event"] == "synced" and frame.get("ref") == "again")
    assert sorted(keys(watcher.data)) == sorted(2 * list(scene.newest_since(0)))


@BOTH
@pytest.mark.parametrize("ref", [77, "text", 0])
async def test_a_ping_is_answered_by_a_pong_with_its_ref(scene: Scene, ref: object) -> None:
    watcher = await opened(scene)
    assert (await watcher.ask_back({"op": "ping", "ref": ref}))["event"] == "pong"


@BOTH
@pytest.mark.parametrize(
    "operation",
    [
        {"op": "subscribe", "watch": "items/a", "whatever": 1},
        {"op": "ping", "watch": "items/a"},
        {"op": "dance"},
        {"watch": "items/a"},
        {"op": "subscribe"},
        {"op": "subscribe", "watch": ""},
        {"op": "subscribe", "watch": 7},
        {"op": "subscribe", "watch": "items/a", "mode": "fast"},
        {"op": "subscribe", "watch": "items/a", "snapshot": "no"},
        {"op": "subscribe", "watch": "items/a", "cursor": "!"},
        {"op": "subscribe", "watch": "items/a", "since": "yesterday"},
        {"op": "subscribe", "watch": "items/a", "prefix": "b"},
        {"op": "subscribe", "watch": "plain", "mode": "log"},
    ],
    ids=json.dumps,
)
async def test_an_operation_that_makes_no_sense_is_refused_and_the_connection_lives(
    scene: Scene, operation: dict[str, Any]
) -> None:
    watcher = await opened(scene)
    answer = await watcher.ask_back({**operation, "ref": "odd"})
    assert (answer["event"], answer["code"], answer["retry"]) == ("problem", "invalid", False)
    assert answer["message"]
    assert (await watcher.ask_back({"op": "ping", "ref": "alive"}))["event"] == "pong"


@BOTH
async def test_an_unknown_collection_is_refused(scene: Scene) -> None:
    watcher = await opened(scene)
    answer = await watcher.ask_back({"op": "subscribe", "watch": "nowhere/a", "ref": 9})
    assert (answer["code"], answer["watch"]) == ("not_found", "nowhere/a")


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "null", '{"op":"ping"', '{"op":"ping"}{}'])
async def test_a_message_that_is_no_operation_is_refused(scene: Scene, text: str) -> None:
    watcher = await opened(scene)
    await watcher.connection.send(text)
    problem = await watcher.wait_for(lambda frame: bool(frame["event"] == "problem"))
    assert problem["code"] == "invalid"
    assert (await watcher.ask_back({"op": "ping", "ref": "alive"}))["event"] == "pong"


async def test_a_client_that_persists_in_nonsense_is_closed(scene: Scene) -> None:
    watcher = await opened(scene)
    for _ in range(1000):
        if watcher.recording.end is not None:
            break
        await watcher.send({"op": "dance"})
    assert (await watcher.recording.wait_end()).code == 4400


async def test_a_connection_without_a_subprotocol_speaks_json(scene: Scene) -> None:
    await scene.put(scene.resource(0))
    await scene.applied()
    async with connect("ws" + scene.here.url.removeprefix("http") + scene.watch.path, proxy=None) as connection:
        assert connection.subprotocol is None
        assert json.loads(await connection.recv())["resource"] == scene.resource(0)


@BOTH
async def test_overlapping_watches_in_state_mode_give_each_event_once(scene: Scene) -> None:
    await scene.put_all()
    await scene.applied()
    one = Watch("items", scene.resources[0].partition("/")[2])
    watcher = await opened(scene, scene.watch, one, Watch("items"))
    start = len(watcher.data)
    await scene.put_all()
    await scene.put_all()
    await watcher.until(lambda seen: (scene.outsider, scene.changes[-1].version) in keys(seen.data))
    await scene.converged(watcher)
    live = keys(scene.mine(watcher.data[start:]))
    assert len(live) == len(set(live))


@BOTH
async def test_the_snapshot_of_a_later_watch_is_complete_and_never_older(scene: Scene) -> None:
    await scene.put_all()
    await scene.applied()
    watcher = await opened(scene, Watch("items", scene.resources[0].partition("/")[2]))
    before = len(watcher.frames)
    await watcher.send({"op": "subscribe", "watch": "items", "prefix": scene.watch.prefix, "ref": "late"})
    await watcher.wait_for(lambda frame: frame["event"] == "synced" and frame.get("ref") == "late")
    later = [frame for frame in watcher.frames[before:] if frame["event"] == "put"]
    assert sorted(keys(later)) == sorted(scene.newest_since(0))


@BOTH
@pytest.mark.parametrize(("first", "second"), [("log", "state"), ("state", "log"), ("log", "log")])
async def test_watches_that_overlap_outside_state_mode_are_refused(scene: Scene, first: str, second: str) -> None:
    watcher = await scene.open(ask=Ask((Watch("items"),), mode=first))
    assert isinstance(watcher, WebSocketWatcher)
    await watcher.wait_synced()
    answer = await watcher.ask_back({"op": "subscribe", "watch": "items/a", "mode": second, "ref": "over"})
    assert (answer["event"], answer["code"]) == ("problem", "invalid")
    disjoint = await watcher.ask_back({"op": "subscribe", "watch": "others/a", "mode": second, "ref": "apart"})
    assert disjoint["event"] == "ack"


@BOTH
async def test_the_bookmark_of_a_connection_without_a_watch_has_no_cursor(scene: Scene) -> None:
    watcher = await scene.open(ask=Ask(()))
    bookmark = await watcher.wait_for(lambda frame: bool(frame["event"] == "bookmark"))
    assert bookmark["cursor"] is None
    assert bookmark["skipped"] == 0


@BOTH
async def test_the_cursor_of_a_connection_covers_all_its_watches(scene: Scene) -> None:
    watches = (scene.watch, Watch("others", scene.name))
    watcher = await opened(scene, *watches)
    marks = len(named(watcher, "bookmark"))
    bookmark = (await watcher.until(lambda seen: [f for f in seen.frames if f["event"] == "bookmark"][marks:]))[0]
    change = await scene.put(scene.resources[0])
    other = await scene.writer.put(f"others/{scene.name}", 1)
    again = await scene.open(scene.there, ask=Ask(watches, cursor=bookmark["cursor"]))
    wanted = {(change.resource, change.version), (other.resource, other.version)}
    await again.until(lambda seen: set(keys(seen.data)) == wanted)
    assert "reset" not in {frame["event"] for frame in again.frames}


@BOTH
@pytest.mark.parametrize("ask", [{"data": {"n": 1}}, {"delete": True}], ids=["put", "delete"])
async def test_a_publish_is_acknowledged_with_version_and_cursor(scene: Scene, ask: dict[str, Any]) -> None:
    watcher = await opened(scene)
    answer = await watcher.ask_back({"op": "publish", "resource": scene.resource(0), "ref": "p", **ask})
    assert answer["event"] == "ack", answer
    wanted = (scene.resource(0), int(answer["version"]))
    await watcher.until(lambda seen: wanted in keys(seen.data))
    assert answer["cursor"]


@BOTH
async def test_the_server_answers_a_close_with_a_close(scene: Scene) -> None:
    watcher = await opened(scene)
    await watcher.connection.close(1000)
    assert watcher.connection.close_code == 1000


@BOTH
async def test_a_protocol_ping_is_answered(scene: Scene) -> None:
    watcher = await opened(scene)
    pong = await watcher.connection.ping(b"still there?")
    await pong


async def test_a_message_too_large_is_closed_with_1009(scene: Scene) -> None:
    watcher = await opened(scene)
    await watcher.connection.send('{"op":"ping","ref":"' + "x" * 2_000_000 + '"}')
    assert (await watcher.recording.wait_end()).code == 1009


async def test_text_that_is_no_utf8_is_closed_with_1007(scene: Scene) -> None:
    watcher = await opened(scene)
    await watcher.connection.send(b'{"op":"\xff"}', text=True)
    assert (await watcher.recording.wait_end()).code == 1007
