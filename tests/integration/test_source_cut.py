"""What one broker says of a log's end is not believed until the leaders have said so: meanwhile nothing is told."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from structlog.testing import capture_logs

from services.pushserver.app import PushServer
from shared.log_bounds import Bounds
from tests.integration.test_source_epochs import cut, resets
from tests.integration.test_source_freshness import ahead, cursor_now
from tests.support.broker import Broker
from tests.support.client import Ask, Http, Watch, Watcher, open_watch
from tests.support.server import eventually, lagging, push_server, put, running
from tests.support.topics import Topics

pytestmark = pytest.mark.real_kafka

ITEMS = Watch("items")


class Leaders:
    """All brokers but the one that there is: what they say, or that they don't answer (None)."""

    def __init__(self, patched: pytest.MonkeyPatch) -> None:
        self.bounds: Mapping[int, Bounds] | None = None
        self.asked = 0
        patched.setattr("services.pushserver.proof.read_bounds", self)

    async def __call__(self, *_: object, **__: object) -> Mapping[int, Bounds]:
        """In the place of `read_bounds`."""
        self.asked += 1
        if self.bounds is None:
            raise KafkaError("the brokers [2] don't say who leads")
        return self.bounds

    async def are_asked_again(self) -> None:
        """What was concluded from the answers so far has been told."""
        already = self.asked
        await eventually(lambda: self.asked > already + 1, "it asks again")


@pytest.fixture
def leaders(monkeypatch: pytest.MonkeyPatch) -> Leaders:
    return Leaders(monkeypatch)


@asynccontextmanager
async def watched(broker: Broker, topic: str, **settings: Any) -> AsyncIterator[tuple[PushServer, str, Watcher]]:
    server = push_server(broker.bootstrap, {"items": {"topic": topic, "modes": ["state", "log"]}}, **settings)
    async with running(server) as url:
        watcher = await open_watch("sse", url, Ask((ITEMS,)))
        await watcher.wait_synced()
        yield server, url, watcher
        await watcher.close()


async def test_a_position_that_only_one_broker_refuses_is_kept_and_read_on_from(
    broker: Broker, topics: Topics, leaders: Leaders
) -> None:
    """The broker says `out of range` as one does whose log ended before the position, when it fell asleep."""
    topic = await topics.create()
    await put(broker.bootstrap, topic, ("a", "1"))
    async with watched(broker, topic) as (server, _, watcher):
        consumer: Any = server.source._consumer  # noqa: SLF001 -- there is no public way to be ahead of the only broker
        leaders.bounds = {0: Bounds(0, 100)}
        consumer.seek(TopicPartition(topic, 0), 50)
        await leaders.are_asked_again()
        leaders.bounds = None
        await leaders.are_asked_again()
        assert resets(watcher) == []
        same: bool = server.source._consumer is consumer  # noqa: SLF001 -- see above
        assert same, "nothing was built anew"
        consumer.seek(TopicPartition(topic, 0), 1)
        await put(broker.bootstrap, topic, ("a", "2"))
        await watcher.until(lambda seen: seen.data[-1]["data"] == 2)
        assert resets(watcher) == []


async def test_a_log_that_was_cut_is_told_once_the_leaders_have_said_so(
    broker: Broker, topics: Topics, leaders: Leaders
) -> None:
    topic = await topics.create()
    await put(broker.bootstrap, topic, ("a", "1"))
    async with watched(broker, topic) as (server, _, watcher):
        with capture_logs() as logged:
            async with lagging(server):
                await put(broker.bootstrap, topic, ("a", "2"), ("b", "2"))
                await cut(broker, topic, before=3)
            await leaders.are_asked_again()
            as_of_ms = server.hub.channels["items"].as_of_ms
            await leaders.are_asked_again()
        assert resets(watcher) == []
        assert server.hub.channels["items"].as_of_ms == as_of_ms, "nothing newer is known of Kafka"
        assert {line["event"] for line in logged if line["log_level"] == "warning"} == {
            "nobody can tell whether a log was cut"
        }
        leaders.bounds = {0: Bounds(3, 3)}
        await watcher.until(lambda _: resets(watcher) == [("items", "epoch")])
        await put(broker.bootstrap, topic, ("c", "3"))
        await watcher.until(lambda seen: seen.data[-1]["data"] == 3)
        assert resets(watcher) == [("items", "epoch")]


@pytest.mark.parametrize("bounds", [None, {0: Bounds(0, 100)}], ids=["silent", "further on"])
async def test_a_cursor_that_only_one_broker_does_not_reach_is_neither_reset_nor_expired(
    broker: Broker, topics: Topics, leaders: Leaders, bounds: Mapping[int, Bounds] | None
) -> None:
    topic = await topics.create()
    await put(broker.bootstrap, topic, ("a", "1"))
    leaders.bounds = bounds
    async with watched(broker, topic, catch_up_s=1) as (_, url, _), Http(url) as http:
        later = ahead(await cursor_now(url), 10)
        targets = [f"/v1/items/poll?{mode}cursor={later}" for mode in ("", "mode=log&")]
        answers = await asyncio.gather(*(http.get(target) for target in targets))
        assert [(answer.status, answer.problem()["code"]) for answer in answers] == [(503, "try_again")] * 2
        assert leaders.asked


async def test_a_cursor_that_the_leaders_do_not_reach_is(broker: Broker, topics: Topics, leaders: Leaders) -> None:
    topic = await topics.create()
    await put(broker.bootstrap, topic, ("a", "1"))
    async with watched(broker, topic, catch_up_s=10) as (_, url, _), Http(url) as http:
        later = ahead(await cursor_now(url), 10)
        asking = asyncio.create_task(http.get(f"/v1/items/poll?mode=log&cursor={later}"))
        await leaders.are_asked_again()
        assert not asking.done(), "nobody knows"
        leaders.bounds = {0: Bounds(0, 1)}
        assert (await asking).problem()["code"] == "expired"
