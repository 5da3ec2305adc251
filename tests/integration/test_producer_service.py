"""The producer service as a process: its start, its end, and what it tells an operator."""

import asyncio
import io
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import orjson
import pytest
import pytest_asyncio

from infra.cluster.process import HOST
from infra.cluster.service import Service
from tests.support.broker import Broker
from tests.support.records import read_all
from tests.support.topics import Topics

JSON = {"Content-Type": "application/json"}


@pytest_asyncio.fixture(loop_scope="session")
async def topic(topics: Topics) -> str:
    return await topics.create(partitions=2)


@pytest_asyncio.fixture(loop_scope="session")
async def large_topic(topics: Topics) -> str:
    return await topics.create(config={"max.message.bytes": "3000000"})


@pytest.fixture
def config(broker: Broker, topic: str, large_topic: str, tmp_path: Path) -> Path:
    path = tmp_path / "watchroute.toml"
    path.write_text(
        f"""
        [auth]
        mode = "none"
        [kafka]
        bootstrap = "{broker.bootstrap}"
        [collections.stocks]
        topic = "{topic}"
        max_value_bytes = 4000000
        [collections.large]
        topic = "{large_topic}"
        max_value_bytes = 4000000
        """
    )
    return path


@pytest_asyncio.fixture(loop_scope="session")
async def service(config: Path, tmp_path: Path) -> AsyncIterator[Service]:
    running = Service("producer", tmp_path, config, {})
    await running.start()
    yield running
    await running.shut()


async def test_it_counts_what_it_writes_and_what_it_refuses(service: Service) -> None:
    async with aiohttp.ClientSession(headers=JSON) as session:
        for body in (b"1", b"2", b"{"):
            async with session.put(f"{service.url}/v1/stocks/a", data=body):
                pass
        async with session.get(f"{service.admin_url}/metrics") as got:
            metrics = await got.text()
    assert 'watchroute_producer_writes_total{outcome="written"} 2.0' in metrics
    assert 'watchroute_producer_writes_total{outcome="invalid"} 1.0' in metrics
    assert "watchroute_producer_ack_seconds_count 2.0" in metrics
    assert "watchroute_producer_in_flight_writes 0.0" in metrics


async def test_a_body_of_two_megabytes_is_written(service: Service, broker: Broker, large_topic: str) -> None:
    body = b'"' + os.urandom(1_000_000).hex().encode() + b'"'
    assert await put(service, "large/a", body) == (200, {"resource", "version", "cursor"})
    assert [record.value for record in await read_all(broker.bootstrap, large_topic)] == [body]


@pytest.mark.real_kafka
async def test_an_item_that_kafka_refuses_is_an_error_in_its_place(
    service: Service, broker: Broker, topic: str
) -> None:
    small, large = {"id": "a", "data": 1}, {"id": "b", "data": os.urandom(1_000_000).hex()}
    async with aiohttp.ClientSession(headers=JSON) as session:
        for atomic, status in (("true", 413), ("false", 200)):
            body = io.BytesIO(orjson.dumps([small, large]))
            async with session.post(f"{service.url}/v1/stocks?atomic={atomic}", data=body) as answer:
                assert answer.status == status
                document = orjson.loads(await answer.read())
    assert set(document["results"][0]) == {"resource", "version", "cursor"}
    assert document["results"][1]["problem"]["code"] == "too_large"
    assert [record.key for record in await read_all(broker.bootstrap, topic)] == [b"a"]


async def put(service: Service, resource: str, body: bytes) -> tuple[int, set[str]]:
    async with (
        aiohttp.ClientSession(headers=JSON) as session,
        session.put(f"{service.url}/v1/{resource}", data=io.BytesIO(body)) as answer,
    ):
        return answer.status, set(orjson.loads(await answer.read()))


async def test_requests_under_way_are_answered_when_it_is_asked_to_stop(
    service: Service, broker: Broker, topic: str
) -> None:
    async with aiohttp.ClientSession(headers=JSON) as session:
        asked = asyncio.Event()

        async def body() -> AsyncIterator[bytes]:
            yield b'{"slow":'
            asked.set()
            await asyncio.sleep(0.5)
            yield b"true}"

        putting = asyncio.create_task(session.put(f"{service.url}/v1/stocks/a", data=body()))
        await asked.wait()
        service.terminate()
        async with await putting as answer:
            assert answer.status == 200
    assert await service.wait_exit() == 0
    assert [record.value for record in await read_all(broker.bootstrap, topic)] == [b'{"slow":true}']


async def test_an_address_that_is_taken_ends_it_with_a_word(service: Service, config: Path, tmp_path: Path) -> None:
    second = Service("producer", tmp_path, config, {"WATCHROUTE_PRODUCER_PORT": str(service.port)})
    second.launch()
    assert await second.wait_exit() == 1
    assert f"can't listen at {HOST}:{service.port}" in second.log_tail()
    assert "Traceback" not in second.log_tail()


async def test_mistakes_in_the_configuration_end_it_with_all_of_them(config: Path, tmp_path: Path) -> None:
    service = Service("producer", tmp_path, config, {"WATCHROUTE_PRODUCER_MAX_BACH": "1", "WATCHROUTE_LOG_LEVEL": "x"})
    service.launch()
    assert await service.wait_exit() == 1
    assert "producer.max_bach" in service.log_tail()
    assert "log.level" in service.log_tail()


async def test_its_log_is_one_object_a_line(service: Service) -> None:
    await service.stop()
    events = [json.loads(line)["event"] for line in service.log.read_text().splitlines()]
    assert (events[0], events[-1]) == ("listening", "stopped")
