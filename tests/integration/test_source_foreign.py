"""Topics that no producer of ours has written: plain keyed values, CloudEvents of others, and what can't be served."""

from collections.abc import AsyncIterator
from typing import Any, Final, NamedTuple

import msgpack
import pytest
import pytest_asyncio

from services.pushserver.app import PushServer
from tests.support.broker import Broker
from tests.support.client import Ask, Http, Watch, Watcher, open_watch
from tests.support.recording import Frame
from tests.support.records import RawRecord, produce
from tests.support.server import metric, push_server, running, until_read
from tests.support.topics import Topics

pytestmark = pytest.mark.real_kafka

LARGE: Final = b'"' + b"x" * 2_000_000 + b'"'
_ROOM: Final = {"max.message.bytes": "4194304"}


class Foreign(NamedTuple):
    """A server of topics that others write to."""

    broker: Broker
    server: PushServer
    url: str

    async def write(self, collection: str, *records: RawRecord) -> None:
        """Write to the topic of a collection, and return when the server has read it."""
        topic = self.server.hub.catalog.get(collection).topic
        written = await produce(self.broker.bootstrap, topic, records, max_request_size=4_194_304)
        await until_read(self.server, collection, written)

    async def watch(self, *watches: Watch) -> Watcher:
        """What a browser would open."""
        watcher = await open_watch("sse", self.url, Ask(watches))
        await watcher.wait_synced()
        return watcher


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def foreign(broker: Broker, topics: Topics) -> AsyncIterator[Foreign]:
    tables: dict[str, dict[str, Any]] = {
        "plain": {},
        "packed": {"value": "msgpack"},
        "roomy": {"max_value_bytes": 3_000_000},
    }
    named = {name: {"topic": await topics.create(config=_ROOM), **table} for name, table in tables.items()}
    server = push_server(broker.bootstrap, named)
    async with running(server) as url:
        yield Foreign(broker, server, url)


async def first_put(watcher: Watcher) -> Frame:
    frame = await watcher.wait_for(lambda frame: bool(frame["event"] == "put"))
    await watcher.close()
    return frame


async def test_plain_keyed_json_without_headers_is_served_as_it_is(foreign: Foreign) -> None:
    watcher = await foreign.watch(Watch("plain", "price"))
    await foreign.write("plain", RawRecord(b"price", b'{"p":1.50,\n "q":[]}', timestamp_ms=1_700_000_000_123))
    frame = await first_put(watcher)
    assert frame["data"] == {"p": 1.5, "q": []}
    assert frame["time"] == "2023-11-14T22:13:20.123Z"
    assert "type" not in frame
    async with Http(foreign.url) as http:
        assert (await http.get("/v1/plain/price")).body == b'{"p":1.50,  "q":[]}'


async def test_msgpack_values_are_json_to_whoever_wants_json(foreign: Foreign) -> None:
    watcher = await foreign.watch(Watch("packed", "price"))
    packed: bytes = msgpack.packb({"p": 1.5, "big": 2**63})
    await foreign.write("packed", RawRecord(b"price", packed))
    assert (await first_put(watcher))["data"] == {"p": 1.5, "big": 2**63}
    async with Http(foreign.url) as http:
        answer = await http.get("/v1/packed/price", headers={"Accept": "application/msgpack"})
        assert msgpack.unpackb(answer.body) == {"p": 1.5, "big": 2**63}


async def test_cloudevents_headers_of_others_are_honoured(foreign: Foreign) -> None:
    watcher = await foreign.watch(Watch("plain", "event"))
    headers = (
        ("ce_specversion", b"1.0"),
        ("ce_type", b"com.example.moved"),
        ("ce_time", b"2026-11-23T12:00:00.5+02:00"),
        ("ce_source", b"\xff is no text"),
        ("content-type", b"application/json"),
    )
    await foreign.write("plain", RawRecord(b"event", b"true", headers))
    frame = await first_put(watcher)
    assert (frame["type"], frame["time"], frame["data"]) == ("com.example.moved", "2026-11-23T10:00:00.500Z", True)


@pytest.mark.parametrize(
    ("collection", "reason", "key", "value"),
    [
        pytest.param("plain", "key", None, b"1", id="no key"),
        pytest.param("plain", "key", b"\xff\xfe", b"1", id="a key that is no UTF-8"),
        pytest.param("plain", "key", b"", b"1", id="an empty key"),
        pytest.param("plain", "key", b"k" * 513, b"1", id="a key too long"),
        pytest.param("plain", "syntax", b"bad", b"{]", id="no JSON"),
        pytest.param("plain", "syntax", b"bad", b"", id="an empty value"),
        pytest.param("plain", "syntax", b"bad", b"NaN", id="NaN"),
        pytest.param("plain", "syntax", b"bad", b'"\xff"', id="a value that is no UTF-8"),
        pytest.param("plain", "depth", b"bad", b"[" * 129 + b"]" * 129, id="nested too deep"),
        pytest.param("plain", "too_large", b"bad", LARGE, id="2 MB"),
        pytest.param("packed", "number", b"bad", msgpack.packb(float("nan")), id="NaN in msgpack"),
        pytest.param("packed", "syntax", b"bad", b"\xc1", id="no msgpack"),
        pytest.param("packed", "syntax", b"bad", msgpack.packb({1: 2}), id="a member that is no text"),
    ],
)
async def test_a_malformed_record_is_counted_and_skipped_and_its_partition_goes_on(
    foreign: Foreign, collection: str, reason: str, key: bytes | None, value: bytes | None
) -> None:
    good: bytes = b"1" if collection == "plain" else msgpack.packb(1)
    watcher = await foreign.watch(Watch(collection))
    seen = len(watcher.data)
    before = metric(foreign.server, "malformed_total", collection=collection, reason=reason)
    await foreign.write(collection, RawRecord(b"bad", good), RawRecord(key, value), RawRecord(b"after", good))
    await watcher.until(lambda recorded: len(recorded.data) >= seen + 2)
    await watcher.close()
    assert [frame["resource"] for frame in watcher.data[seen:]] == [f"{collection}/bad", f"{collection}/after"]
    assert metric(foreign.server, "malformed_total", collection=collection, reason=reason) == before + 1
    async with Http(foreign.url) as http:
        assert (await http.get(f"/v1/{collection}/bad")).status == 200, "the state before it stays"


async def test_a_large_value_is_served_where_the_collection_allows_it(foreign: Foreign) -> None:
    watcher = await foreign.watch(Watch("roomy"))
    await foreign.write("roomy", RawRecord(b"large", LARGE), RawRecord(b"small", b"1"))
    frame = await first_put(watcher)
    assert len(frame["data"]) == 2_000_000
    async with Http(foreign.url) as http:
        assert (await http.get("/v1/roomy/large")).body == LARGE
