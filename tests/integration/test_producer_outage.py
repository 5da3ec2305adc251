"""The publisher and the service while Kafka is away: an honest answer in time, and nothing that comes back later."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from infra.cluster.deadline import until
from infra.cluster.kafka_jars import KafkaJars
from infra.cluster.process import HOST, ProcessFailed
from infra.cluster.service import Service
from services.producer.publisher import Publisher
from services.producer.transaction import Put
from services.producer.write import Ack
from shared.problem import Problem
from tests.integration.producing import catalog_of, publishing
from tests.support.broker import MavenBroker
from tests.support.records import read_all
from tests.support.topics import Topics

pytestmark = pytest.mark.real_kafka
ACK_TIMEOUT_S = 2.0
WITHIN_S = ACK_TIMEOUT_S + 1.0


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared_broker(kafka_jars: KafkaJars) -> AsyncIterator[MavenBroker]:
    """A Kafka for the tests of this file: it takes longer to make than to stop and start."""
    async with MavenBroker(kafka_jars) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def kafka(shared_broker: MavenBroker) -> AsyncIterator[MavenBroker]:
    """The same, running at the start of each test."""
    yield shared_broker
    with contextlib.suppress(ProcessFailed):
        shared_broker.resume()
    with contextlib.suppress(ProcessFailed):
        await shared_broker.start()


async def topic_on(broker: MavenBroker) -> str:
    async with Topics(broker.bootstrap) as topics:
        return await topics.create()


async def outcome_of(publisher: Publisher, value: object) -> str:
    """`written` or what the problem says; fails when the answer takes too long."""
    began = time.monotonic()
    (answer,) = await publisher.put_many([Put("stocks/a", value)])
    assert time.monotonic() - began < WITHIN_S
    if isinstance(answer, Ack):
        return "written"
    assert (answer.code, answer.status) == ("unavailable", 503)
    assert answer.headers["Retry-After"]
    return str(answer.members["outcome"])


async def until_written(publisher: Publisher, value: object) -> None:
    async def written() -> bool:
        return await outcome_of(publisher, value) == "written"

    await until(written, "a write is acknowledged again")


async def values_of(broker: MavenBroker, topic: str) -> list[bytes | None]:
    return [record.value for record in await read_all(broker.bootstrap, topic)]


async def test_a_publisher_starts_before_kafka_and_says_so(kafka: MavenBroker) -> None:
    topic = await topic_on(kafka)
    await kafka.stop()
    async with publishing(kafka.bootstrap, catalog_of(stocks=topic), ack_timeout_s=ACK_TIMEOUT_S) as publisher:
        assert publisher.not_ready
        assert await outcome_of(publisher, "early") == "not_written"
        await kafka.start()
        await until_written(publisher, "late")
        assert publisher.not_ready is None
    assert (await values_of(kafka, topic))[0] == b'"late"'


async def test_what_was_given_up_is_not_written_when_kafka_comes_back(kafka: MavenBroker) -> None:
    topic = await topic_on(kafka)
    async with publishing(kafka.bootstrap, catalog_of(stocks=topic), ack_timeout_s=ACK_TIMEOUT_S) as publisher:
        assert await outcome_of(publisher, "before") == "written"
        await kafka.stop()
        stale = await asyncio.gather(*(outcome_of(publisher, "stale") for _ in range(20)))
        assert "written" not in stale
        assert "unknown" in stale
        assert await outcome_of(publisher, "stale") == "not_written"
        await kafka.start()
        await until_written(publisher, "after")
    values = await values_of(kafka, topic)
    assert values[0] == b'"before"'
    assert b'"stale"' not in values
    assert b'"after"' in values


async def test_a_kafka_that_answers_nothing_is_given_up_in_time(kafka: MavenBroker) -> None:
    topic = await topic_on(kafka)
    async with publishing(kafka.bootstrap, catalog_of(stocks=topic), ack_timeout_s=ACK_TIMEOUT_S) as publisher:
        assert await outcome_of(publisher, "before") == "written"
        kafka.pause()
        outcomes = {await outcome_of(publisher, "meanwhile") for _ in range(4)}
        kafka.resume()
        assert outcomes <= {"unknown", "not_written"}
        await until_written(publisher, "after")


async def test_nothing_acknowledged_is_lost_when_kafka_is_killed(kafka: MavenBroker) -> None:
    topic = await topic_on(kafka)
    acknowledged: list[int] = []
    stop = asyncio.Event()

    async with publishing(kafka.bootstrap, catalog_of(stocks=topic), ack_timeout_s=ACK_TIMEOUT_S) as publisher:

        async def write(numbers: Iterator[int]) -> None:
            while not stop.is_set():
                number = next(numbers)
                if await outcome_of(publisher, number) == "written":
                    acknowledged.append(number)
                else:
                    await asyncio.sleep(0.02)

        numbers = iter(range(1_000_000))
        async with asyncio.TaskGroup() as tasks:
            for _ in range(5):
                tasks.create_task(write(numbers))
            await until_more_than(acknowledged, 50)
            await kafka.kill()
            await kafka.start()
            await until_more_than(acknowledged, len(acknowledged) + 50)
            stop.set()
    values = [int(value or b"") for value in await values_of(kafka, topic)]
    assert set(acknowledged) <= set(values)
    assert len(values) == len(set(values))


async def until_more_than(found: list[int], count: int) -> None:
    async def more() -> bool:
        return len(found) > count

    await until(more, f"more than {count} writes are acknowledged")


async def test_a_flood_during_an_outage_is_bounded_and_mostly_answered_at_once(kafka: MavenBroker) -> None:
    topic = await topic_on(kafka)
    catalog = catalog_of(stocks=topic)
    async with publishing(kafka.bootstrap, catalog, ack_timeout_s=ACK_TIMEOUT_S, max_in_flight=10) as publisher:
        assert await outcome_of(publisher, "before") == "written"
        kafka.pause()
        began = time.monotonic()
        outcomes = await asyncio.gather(*(outcome_of(publisher, number) for number in range(5000)))
        assert time.monotonic() - began < WITHIN_S + 2
        kafka.resume()
        assert "written" not in outcomes[10:]
        assert outcomes.count("unknown") <= 10
        await until_written(publisher, "after")


async def test_a_transaction_in_an_outage_is_answered_in_time_and_leaves_nothing(kafka: MavenBroker) -> None:
    topic = await topic_on(kafka)
    async with publishing(kafka.bootstrap, catalog_of(stocks=topic), ack_timeout_s=ACK_TIMEOUT_S) as publisher:
        await change_together(publisher, "before")
        await kafka.stop()
        began = time.monotonic()
        with pytest.raises(Problem) as refused:
            await change_together(publisher, "meanwhile")
        assert time.monotonic() - began < WITHIN_S
        assert refused.value.code == "unavailable"
        await kafka.start()

        async def taken() -> bool:
            try:
                return bool(await change_together(publisher, "after"))
            except Problem:
                return False

        await until(taken, "transactions are taken again")
    assert await values_of(kafka, topic) == [b'"before"', b'"before"', b'"after"', b'"after"']


async def change_together(publisher: Publisher, value: str) -> list[Ack]:
    async with publisher.transaction() as changes:
        changes.put("stocks/a", value)
        changes.put("stocks/b", value)
    return changes.acks


async def test_the_service_runs_without_kafka_and_is_ready_with_it(kafka: MavenBroker, tmp_path: Path) -> None:
    topic = await topic_on(kafka)
    await kafka.stop()
    config = tmp_path / "watchroute.toml"
    collection = f'[collections.stocks]\ntopic = "{topic}"\n'
    config.write_text(f'[auth]\nmode = "none"\n[kafka]\nbootstrap = "{kafka.bootstrap}"\n{collection}')
    service = Service("producer", tmp_path, config, {"WATCHROUTE_PRODUCER_ACK_TIMEOUT_S": "2"})
    service.launch()
    try:
        await until_status(service, service.admin_port, "GET", "/livez", 200)
        await until_status(service, service.admin_port, "GET", "/readyz", 503)
        await until_status(service, service.port, "PUT", "/v1/stocks/a", 503)
        await kafka.start()
        await service.wait_ready()
        await until_status(service, service.port, "PUT", "/v1/stocks/a", 200)
        assert await service.stop() == 0
    finally:
        await service.shut()
    assert await values_of(kafka, topic) == [b"1"]


async def until_status(service: Service, port: int, method: str, path: str, status: int) -> None:
    async def given() -> bool:
        assert service.process.poll() is None, service.log_tail()
        try:
            async with aiohttp.ClientSession() as session:
                headers = {"Content-Type": "application/json"}
                url = f"http://{HOST}:{port}{path}"
                async with session.request(method, url, data=b"1" if method == "PUT" else None, headers=headers) as got:
                    return got.status == status
        except aiohttp.ClientConnectionError:
            return False

    await until(given, f"{method} {path} is answered with {status}")
