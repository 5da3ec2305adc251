"""A broker that restarts, hangs or is not there: nothing is lost, and the watchers are told how fresh they are."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest_asyncio
from aiokafka import AIOKafkaProducer
from structlog.testing import capture_logs

from infra.cluster.kafka_jars import KafkaJars
from services.pushserver.app import PushServer
from shared.cursor import decode_cursor, encode_cursor
from tests.support.broker import MavenBroker
from tests.support.client import Ask, Http, Watch, Watcher, open_watch
from tests.support.server import eventually, push_server, put, running, until_ready
from tests.support.topics import Topics

ITEMS = Watch("items")
KEYS = ("a", "b", "c")
LOG_WATCHERS = ("sse", "websocket", "longpoll")
STATE_WATCHERS = ("sse", "websocket_msgpack")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def frail(kafka_jars: KafkaJars) -> AsyncIterator[MavenBroker]:
    """A broker for these tests alone; each leaves it running."""
    async with MavenBroker(kafka_jars) as broker:
        yield broker


@pytest_asyncio.fixture(loop_scope="session")
async def topic(frail: MavenBroker) -> str:
    async with Topics(frail.bootstrap) as topics:
        return await topics.create(partitions=3)


def serve(broker: MavenBroker, topic: str, **settings: Any) -> PushServer:
    tables = {"items": {"topic": topic, "modes": ["state", "log"]}}
    return push_server(broker.bootstrap, tables, kafka={"request_timeout_ms": 1000}, catch_up_s=0.3, **settings)


class Load:
    """A foreign service that writes all the time; `written` is what Kafka has acknowledged."""

    def __init__(self, producer: AIOKafkaProducer, topic: str) -> None:
        self._producer = producer
        self._topic = topic
        self._stop = asyncio.Event()
        self.written: list[tuple[str, int]] = []

    async def write(self) -> None:
        """Write until it is stopped, each record once the one before is acknowledged."""
        for number in itertools.count():
            key = KEYS[number % len(KEYS)]
            await self._producer.send_and_wait(self._topic, str(number).encode(), key=key.encode())
            self.written.append((f"items/{key}", number))
            if self._stop.is_set():
                return

    async def goes_on(self, records: int = 30) -> None:
        """Return when so many more were acknowledged."""
        already = len(self.written)
        await eventually(lambda: len(self.written) >= already + records, "the load is written", within_s=30)

    def stop(self) -> None:
        self._stop.set()

    @property
    def state(self) -> dict[str, int]:
        return dict(self.written)


@asynccontextmanager
async def load_on(broker: MavenBroker, topic: str) -> AsyncIterator[Load]:
    async with AIOKafkaProducer(
        bootstrap_servers=broker.bootstrap, enable_idempotence=True, acks="all", linger_ms=5
    ) as producer:
        load = Load(producer, topic)
        writing = asyncio.create_task(load.write())
        try:
            yield load
        finally:
            load.stop()
            await asyncio.wait_for(writing, 30)


async def watch_all(stack: AsyncExitStack, url: str) -> tuple[list[Watcher], list[Watcher]]:
    """Those in log mode, and those in state mode, before anything is written."""
    logs = [await open_watch(transport, url, Ask((ITEMS,), mode="log")) for transport in LOG_WATCHERS]
    states = [await open_watch(transport, url, Ask((ITEMS,))) for transport in STATE_WATCHERS]
    for watcher in (*logs, *states):
        stack.push_async_callback(watcher.close)
        await watcher.wait_synced()
    return logs, states


async def saw_everything(logs: Iterable[Watcher], states: Iterable[Watcher], load: Load) -> None:
    """Each record once and in order in log mode, the newest in state mode, and no `reset` for anybody."""
    for watcher in logs:
        await watcher.until(lambda seen: len(seen.data) >= len(load.written), 20)
        seen = [(frame["resource"], frame["data"]) for frame in watcher.data]
        assert len(seen) == len(set(seen)), "nothing twice"
        assert sorted(seen) == sorted(load.written), "everything"
        for resource in load.state:
            assert [each for each in seen if each[0] == resource] == [e for e in load.written if e[0] == resource]
    for watcher in states:
        await watcher.until(lambda seen: {f["resource"]: f["data"] for f in seen.data} == load.state, 20)
    for watcher in (*logs, *states):
        assert "reset" not in {frame["event"] for frame in watcher.frames}


def as_ofs(watcher: Watcher) -> list[str]:
    return [frame["as_of"] for frame in watcher.frames if frame["event"] == "bookmark"]


async def test_a_broker_that_restarts_under_load_loses_nothing_for_anybody(frail: MavenBroker, topic: str) -> None:
    async with AsyncExitStack() as stack:
        server = serve(frail, topic)
        url = await stack.enter_async_context(running(server))
        logs, states = await watch_all(stack, url)
        load = await stack.enter_async_context(load_on(frail, topic))
        await load.goes_on()
        await frail.stop()
        sse = logs[0]
        told = len(as_ofs(sse))
        await sse.until(lambda _: len(as_ofs(sse)) >= told + 4)
        away = as_ofs(sse)[-3:]
        assert len(set(away)) == 1, "bookmarks go on, and say that nothing newer is known"
        assert server.not_ready is None, "what was read is still served"
        await is_served_without_kafka(url, sse)
        await frail.start()
        await sse.until(lambda _: as_ofs(sse)[-1] > away[-1], 20)
        await load.goes_on()
        load.stop()
        await saw_everything(logs, states, load)


async def is_served_without_kafka(url: str, watcher: Watcher) -> None:
    async with Http(url) as http:
        assert (await http.get("/v1/items/a")).status == 200
        assert watcher.cursor
        segments = decode_cursor(watcher.cursor)
        later = encode_cursor(s._replace(positions={p: at + 1 for p, at in s.positions.items()}) for s in segments)
        elsewhere = encode_cursor(s._replace(epoch=b"\0" * 5) for s in segments)
        for cursor in (later, elsewhere):
            answer = await http.get(f"/v1/items/stream?cursor={cursor}")
            assert (answer.status, answer.problem()["code"]) == (503, "try_again"), "it can't know yet what to say"
            assert int(answer.headers["Retry-After"]) > 0
        assert (await http.get(f"/v1/items/poll?cursor={watcher.cursor}&wait=0")).status == 200


async def test_a_broker_that_hangs_for_longer_than_the_watchdog_waits_loses_nothing(
    frail: MavenBroker, topic: str
) -> None:
    with capture_logs() as logged:
        async with AsyncExitStack() as stack:
            url = await stack.enter_async_context(running(serve(frail, topic, watchdog_s=1.1)))
            logs, states = await watch_all(stack, url)
            load = await stack.enter_async_context(load_on(frail, topic))
            await load.goes_on()
            newcomer = serve(frail, topic)
            frail.pause()
            try:
                await stack.enter_async_context(running(newcomer, ready=False))
                await eventually(lambda: rebuilt(logged), "the consumer is rebuilt", within_s=8)
                await eventually(lambda: "Kafka: " in (newcomer.not_ready or ""), "who never met Kafka says so")
            finally:
                frail.resume()
            await until_ready(newcomer)
            await load.goes_on()
            load.stop()
            await saw_everything(logs, states, load)
    assert len(rebuilt(logged)) == 1


async def test_a_broker_that_is_away_for_longer_than_the_watchdog_waits_loses_nothing(
    frail: MavenBroker, topic: str
) -> None:
    with capture_logs() as logged:
        async with AsyncExitStack() as stack:
            server = serve(frail, topic, watchdog_s=1.1)
            url = await stack.enter_async_context(running(server))
            logs, states = await watch_all(stack, url)
            load = await stack.enter_async_context(load_on(frail, topic))
            await load.goes_on()
            await frail.stop()
            try:
                await eventually(lambda: rebuilt(logged), "the consumer is rebuilt", within_s=8)
                await eventually(lambda: silences(logged), "the next one doesn't get an answer", within_s=8)
            finally:
                await frail.start()
            await load.goes_on()
            load.stop()
            await saw_everything(logs, states, load)


def silences(logged: Iterable[Any]) -> list[Any]:
    return [line for line in logged if line["event"] == "kafka doesn't answer"]


def rebuilt(logged: Iterable[Any]) -> list[Any]:
    return [line for line in logged if line["event"] == "consumer rebuilt"]


async def test_a_quiet_topic_is_no_reason_to_rebuild_anything(frail: MavenBroker, topic: str) -> None:
    with capture_logs() as logged:
        async with running(serve(frail, topic, watchdog_s=1.1)) as url:
            watcher = await open_watch("sse", url, Ask((ITEMS,)))
            await watcher.until(lambda _: len(as_ofs(watcher)) >= 12, 10)
            assert len(set(as_ofs(watcher))) > 6, "an empty topic is fresh, too"
            await put(frail.bootstrap, topic, ("a", "1"))
            await watcher.until(lambda seen: len(seen.data) == 1)
            await watcher.close()
    assert not rebuilt(logged)
