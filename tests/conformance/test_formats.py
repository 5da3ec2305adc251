"""`format`, msgpack and foreign records: the same events in other clothes (protocol sections 1 to 3)."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.formats.json import JSONFormat

from tests.conformance.conftest import RawHeaders, RawRecords
from tests.conformance.matrix import WATCHES, cases
from tests.conformance.scene import Scene, keys
from tests.support.client import Ask, Http, Watch
from tests.support.recording import Frame

EACH = pytest.mark.parametrize("case", cases(WATCHES, ("resource",), ("state",)))
ATTRIBUTES = (
    ("ce_specversion", b"1.0"),
    ("ce_id", b"e-1"),
    ("ce_type", b"price.changed"),
    ("ce_source", b"/exchange"),
    ("ce_time", b"2026-01-02T03:04:05.678Z"),
    ("ce_subject", b"anything"),
    ("content-type", b"application/json"),
    ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
)


def is_put(frame: Frame) -> bool:
    return bool(frame["event"] == "put")


def is_data(frame: Frame) -> bool:
    return "specversion" in frame or "resource" in frame


@EACH
async def test_a_put_has_the_members_of_the_protocol_and_no_others(scene: Scene) -> None:
    change = await scene.put(scene.resource(0))
    frame = await (await scene.open()).wait_for(is_put)
    assert set(frame) - {"type"} == {"event", "resource", "version", "time", "data"}
    assert (frame["resource"], frame["version"], frame["data"]) == (change.resource, str(change.version), change.data)
    written = datetime.fromisoformat(frame["time"])
    assert frame["time"].endswith("Z")
    assert abs((datetime.now(UTC) - written).total_seconds()) < 60


@EACH
async def test_a_delete_has_no_data(scene: Scene) -> None:
    await scene.put(scene.resource(0))
    watcher = await scene.open()
    await scene.converged(watcher)
    await scene.delete(scene.resource(0))
    frame = await watcher.wait_for(lambda frame: bool(frame["event"] == "delete"))
    assert set(frame) - {"type"} == {"event", "resource", "version", "time"}


@EACH
async def test_compact_frames_have_neither_time_nor_type(scene: Scene, raw_records: RawRecords) -> None:
    watcher = await scene.open(format="compact")
    await watcher.wait_synced()
    await raw_records("items", f"{scene.name}-0", b"1", *ATTRIBUTES)
    frame = await watcher.wait_for(is_put)
    assert set(frame) == {"event", "resource", "version", "data"}


@EACH
async def test_attributes_of_a_foreign_record_are_honoured(scene: Scene, raw_records: RawRecords) -> None:
    version = await raw_records("items", f"{scene.name}-0", b'{"price":1}', *ATTRIBUTES)
    frame = await (await scene.open()).wait_for(is_put)
    assert frame["type"] == "price.changed"
    assert datetime.fromisoformat(frame["time"]) == datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)
    assert frame["version"] == str(version)


@EACH
async def test_a_record_without_attributes_has_no_type(scene: Scene, raw_records: RawRecords) -> None:
    await raw_records("items", f"{scene.name}-0", b'{"price":1}')
    frame = await (await scene.open()).wait_for(is_put)
    assert set(frame) == {"event", "resource", "version", "time", "data"}


def cloud_event(frame: Frame) -> BaseCloudEvent:
    """The frame as the CloudEvents library reads it; it refuses what is no CloudEvent."""
    members = {name: value for name, value in frame.items() if name != "event"}
    return JSONFormat().read(None, json.dumps(members))


@pytest.mark.parametrize("case", cases(("websocket", "websocket_url", "sse", "longpoll"), ("resource",), ("state",)))
async def test_cloudevents_frames_are_cloudevents(scene: Scene, raw_records: RawRecords) -> None:
    watcher = await scene.open(format="cloudevents")
    await raw_records("items", f"{scene.name}-0", b'{"price":1}', *ATTRIBUTES)
    event = cloud_event(await watcher.wait_for(is_data))
    assert event.get_data() == {"price": 1}
    assert (event.get_type(), event.get_id(), event.get_source()) == ("price.changed", "e-1", "/exchange")
    assert event.get_time() == datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)


@pytest.mark.parametrize("case", cases(("sse",), ("resource",), ("state",)))
async def test_every_event_is_a_cloudevent_even_without_attributes(scene: Scene, raw_records: RawRecords) -> None:
    watcher = await scene.open(format="cloudevents")
    await raw_records("items", f"{scene.name}-0", b"null")
    await raw_records("items", f"{scene.name}-0", None)
    await scene.put(scene.resource(0))
    await watcher.until(lambda seen: len([frame for frame in seen.frames if is_data(frame)]) == 3)
    events = [cloud_event(frame) for frame in watcher.frames if is_data(frame)]
    assert len({(event.get_source(), event.get_id()) for event in events}) == 3
    assert len({event.get_subject() for event in events}) == 1


async def test_the_producer_writes_cloudevents_in_binary_mode(scene: Scene, raw_headers: RawHeaders) -> None:
    change = await scene.put(scene.resource(0))
    headers = await raw_headers("items", change.resource.partition("/")[2])
    assert {"ce_specversion", "ce_id", "ce_type", "ce_source"} <= set(headers)
    assert headers["content-type"] == b"application/json"


async def test_msgpack_carries_every_json_value(scene: Scene) -> None:
    value: dict[str, Any] = {"a": [1, -1, 2**63, 1.5, True, None, "é\n\u2028", {}], "": "", "deep": {"er": [[]]}}
    await scene.writer.put(scene.resource(0), value)
    frame = await (await scene.open(transport="websocket_msgpack")).wait_for(is_put)
    assert frame["data"] == value
    assert "encoding" not in frame


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 2**70])
async def test_a_number_that_msgpack_cannot_hold_makes_the_data_text(scene: Scene, number: int) -> None:
    await scene.writer.put(scene.resource(0), {"n": number})
    packed = await (await scene.open(transport="websocket_msgpack")).wait_for(is_put)
    plain = await (await scene.open(transport="websocket")).wait_for(is_put)
    assert packed["encoding"] == "json"
    assert json.loads(packed["data"]) == {"n": number}
    assert plain["data"] == {"n": number}
    assert "encoding" not in plain


async def test_raw_line_breaks_between_tokens_do_not_break_a_stream(scene: Scene, raw_records: RawRecords) -> None:
    await raw_records("items", f"{scene.name}-0", b'{\r\n  "a": 1,\n  "b": "x\\ny"\r}')
    for transport in WATCHES:
        frame = await (await scene.open(transport=transport)).wait_for(is_put)
        assert frame["data"] == {"a": 1, "b": "x\ny"}


@pytest.mark.parametrize("case", cases(WATCHES, ("collection",), ("state",)))
async def test_malformed_records_are_skipped_and_the_partition_goes_on(scene: Scene, raw_records: RawRecords) -> None:
    watcher = await scene.open(ask=Ask((Watch("plain"),)))
    await watcher.wait_synced()
    start = len(watcher.data)
    name = scene.name
    for value in (b"{", b"NaN", b'"\xff"', b"", b"[" * 5000 + b"]" * 5000, b'{"a":1} x'):
        await raw_records("plain", name, value)
    for key in (b"", b"a\x00b", b".", b"..", b"\xff", b"x" * 513):
        await raw_records("plain", key, b"1")
    version = await raw_records("plain", name, b'{"good":true}')
    await watcher.until(lambda seen: len(seen.data) > start)
    assert keys(watcher.data[start:]) == [(f"plain/{name}", version)]


async def test_a_collection_of_msgpack_values_is_read_and_written_as_json(scene: Scene, reader: Http) -> None:
    written = await scene.writer.put(f"packed/{scene.name}", {"a": [1, "é", None]})
    answer = await reader.get(f"/v1/packed/{scene.name}?at_least={written.cursor}")
    assert answer.json() == {"a": [1, "é", None]}
    for transport in ("websocket", "websocket_msgpack", "sse"):
        watcher = await scene.open(ask=Ask((Watch("packed", scene.name),)), transport=transport)
        assert (await watcher.wait_for(is_put))["data"] == {"a": [1, "é", None]}


@pytest.mark.parametrize("transport", WATCHES)
async def test_a_collection_without_state_is_watched_from_now_on(scene: Scene, transport: str) -> None:
    watch = Watch("stateless", prefix=scene.name)
    problem = await scene.refused(ask=Ask((watch,), mode="log"), transport=transport)
    assert problem["code"] == "invalid"
    watcher = await scene.open(ask=Ask((watch,), mode="log", snapshot=False), transport=transport)
    await watcher.wait_synced()
    cursor = watcher.cursor
    first = await scene.writer.put(f"stateless/{scene.name}", 1)
    await watcher.until(lambda seen: keys(seen.data) == [(first.resource, first.version)])
    again = await scene.open(scene.there, ask=Ask((watch,), mode="log", cursor=cursor), transport=transport)
    await again.until(lambda seen: keys(seen.data) == [(first.resource, first.version)])


async def test_a_collection_without_state_has_no_state_to_get(scene: Scene, reader: Http) -> None:
    await scene.writer.put(f"stateless/{scene.name}", 1)
    for target in (f"/v1/stateless/{scene.name}", "/v1/stateless"):
        answer = await reader.get(target)
        assert answer.status in {400, 404, 405}
        assert answer.problem()["detail"]


@pytest.mark.real_kafka
@pytest.mark.parametrize("case", cases(WATCHES))
async def test_since_resumes_by_time(scene: Scene) -> None:
    await scene.put_all()
    probe = await scene.open(transport="websocket", ask=Ask((scene.watch,)))
    await scene.converged(probe)
    start = len(scene.changes)
    last = max(frame["time"] for frame in scene.mine(probe.data))
    while (since := datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")) <= last:
        await scene.applied()
    await scene.put_all()
    watcher = await scene.open(since=since)
    await scene.sees(watcher, scene.newest_since(start))
    seen = set(keys(scene.mine(watcher.data)))
    assert scene.newest_since(start) <= seen
    assert not seen & scene.written_since(0) - scene.written_since(start), "what was before is not sent again"
