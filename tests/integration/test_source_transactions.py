"""Transactions, as a push server reads them: what was aborted is never seen, and markers are no obstacle."""

import asyncio
import time

import pytest
from aiokafka import AIOKafkaProducer

from services.pushserver.app import PushServer
from shared.cursor import decode_cursor, encode_cursor
from tests.support.broker import Broker
from tests.support.client import Ask, Http, Watch, open_watch
from tests.support.records import RawRecord, produce_transaction
from tests.support.server import lagging, push_server, put, running
from tests.support.topics import Topics

pytestmark = pytest.mark.real_kafka

_COLLECTION = Ask((Watch("items"),), mode="log")


async def transact(broker: Broker, topic: str, *pairs: tuple[str, str], commit: bool) -> None:
    records = [RawRecord(key.encode(), value.encode()) for key, value in pairs]
    await produce_transaction(broker.bootstrap, topic, records, commit=commit)


def values(frames: list[dict[str, object]]) -> list[object]:
    return [frame["data"] for frame in frames]


def serve(broker: Broker, topic: str, **collections: str) -> PushServer:
    tables = {"items": {"topic": topic, "modes": ["state", "log"]}}
    return push_server(broker.bootstrap, tables | {name: {"topic": other} for name, other in collections.items()})


async def test_aborted_records_are_never_seen_and_committed_ones_are(broker: Broker, topics: Topics) -> None:
    topic = await topics.create()
    await transact(broker, topic, ("a", "1"), ("b", "1"), commit=False)
    async with running(serve(broker, topic)) as url:
        live = await open_watch("sse", url, _COLLECTION)
        await live.wait_synced()
        await transact(broker, topic, ("a", "2"), commit=False)
        await transact(broker, topic, ("a", "3"), ("b", "3"), commit=True)
        await put(broker.bootstrap, topic, ("c", "4"))
        await live.until(lambda seen: 4 in values(seen.data))
        late = await open_watch("websocket", url, Ask((Watch("items"),)))
        await late.wait_synced()
        assert values(live.data) == [3, 3, 4]
        assert values(late.data) == [3, 3, 4]
        await asyncio.gather(live.close(), late.close())


async def test_a_server_is_ready_though_its_log_ends_with_a_marker(broker: Broker, topics: Topics) -> None:
    topic = await topics.create(partitions=2)
    await transact(broker, topic, ("a", "1"), ("b", "1"), ("c", "1"), commit=True)
    await transact(broker, topic, ("a", "2"), ("b", "2"), ("c", "2"), commit=False)
    async with running(serve(broker, topic)) as url, Http(url) as http:
        assert (await http.get("/v1/items/a")).body == b"1"


async def test_a_cursor_right_after_a_marker_is_reached_at_once_by_a_server_busy_with_others(
    broker: Broker, topics: Topics
) -> None:
    """The other collection never rests, so no fetch is ever empty."""
    topic, other = await topics.create(), await topics.create()
    server = serve(broker, topic, noise=other)
    async with running(server) as url, Http(url) as http:
        stop = asyncio.Event()
        noise = asyncio.create_task(make_noise(broker, other, stop))
        before = (await http.get("/v1/items")).headers["Watch-Cursor"]
        await transact(broker, topic, ("a", "1"), commit=True)
        after_marker = encode_cursor(s._replace(positions={0: 2}) for s in decode_cursor(before))
        began = time.monotonic()
        answer = await http.get(f"/v1/items/a?at_least={after_marker}")
        took_s = time.monotonic() - began
        stop.set()
        await noise
        assert (answer.status, answer.body) == (200, b"1")
        assert took_s < 1
        watcher = await open_watch("sse", url, Ask((Watch("items"),), cursor=after_marker))
        await watcher.wait_synced()
        assert [frame["event"] for frame in watcher.frames] == ["synced"]
        assert watcher.frames[0]["resumed"] is True
        await watcher.close()


async def test_who_waits_for_the_end_of_an_aborted_transaction_is_woken_though_no_record_comes(
    broker: Broker, topics: Topics
) -> None:
    topic = await topics.create()
    await put(broker.bootstrap, topic, ("a", "0"))
    server = push_server(broker.bootstrap, {"items": {"topic": topic}}, catch_up_s=20)
    async with running(server) as url, Http(url) as http:
        before = (await http.get("/v1/items")).headers["Watch-Cursor"]
        began = time.monotonic()
        async with lagging(server):
            await transact(broker, topic, ("a", "1"), commit=False)
            end = encode_cursor(s._replace(positions={0: 3}) for s in decode_cursor(before))
            getting = asyncio.create_task(http.get(f"/v1/items/a?at_least={end}"))
            assert (await http.get("/v1/items/a")).body == b"0"
            assert not getting.done()
        assert (await getting).body == b"0"
        assert time.monotonic() - began < 10


async def make_noise(broker: Broker, topic: str, stop: asyncio.Event) -> None:
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap) as producer:
        while not stop.is_set():
            await producer.send_and_wait(topic, b"1", key=b"noise")
