"""The fleet under test: two push servers and a producer over the Kafka of the run."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer

from tests.conformance.matrix import Case
from tests.conformance.scene import Scene
from tests.support.broker import Broker
from tests.support.client import Http, Writer
from tests.support.fleet import Fleet

BOTH: Final = ["state", "log"]
SCHEMA: Final = '{"type": "object", "required": ["price"], "properties": {"price": {"type": "number"}}}'

COLLECTIONS: Final[dict[str, dict[str, Any]]] = {
    "items": {"modes": BOTH},
    "others": {"modes": BOTH},
    "plain": {"partitions": 1},
    "big": {"modes": BOTH, "partitions": 2, "history_records": 100_000},
    "short": {"modes": BOTH, "partitions": 1, "history_records": 5},
    "packed": {"modes": BOTH, "value": "msgpack", "partitions": 1},
    "strict": {"schema": "price.schema.json", "partitions": 1},
    "stateless": {"modes": ["log"], "state": "none", "partitions": 1},
    "small": {"max_value_bytes": 1000, "partitions": 1},
}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def fleet(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Fleet]:
    """Two push servers and a producer, shared by all: never stop one; use resources of your own."""
    folder: Path = tmp_path_factory.mktemp("fleet")
    (folder / "price.schema.json").write_text(SCHEMA)
    async with Fleet(broker, folder, COLLECTIONS) as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def writer(fleet: Fleet) -> AsyncIterator[Writer]:
    """Writes through the producer."""
    async with Writer(fleet.producer.url) as opened:
        yield opened


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def reader(fleet: Fleet) -> AsyncIterator[Http]:
    """Plain requests to the first push server."""
    async with Http(fleet.servers[0].url) as opened:
        yield opened


class RawRecords:
    """Records as a foreign producer writes them, past the producer service."""

    def __init__(self, fleet: Fleet, producer: AIOKafkaProducer) -> None:
        self._fleet = fleet
        self._producer = producer

    async def __call__(
        self, collection: str, key: str | bytes | None, value: bytes | None, *headers: tuple[str, bytes]
    ) -> int:
        """Write one record, to partition 0 where it has no key; its offset."""
        name = key.encode() if isinstance(key, str) else key
        topic = self._fleet.topic(collection)
        partition = 0 if name is None else None
        sent = await self._producer.send_and_wait(topic, value, key=name, headers=headers, partition=partition)
        offset: int = sent.offset
        return offset


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def raw_records(fleet: Fleet) -> AsyncIterator[RawRecords]:
    """A Kafka producer of our own."""
    async with AIOKafkaProducer(bootstrap_servers=fleet.broker.bootstrap, acks="all") as producer:
        yield RawRecords(fleet, producer)


@pytest_asyncio.fixture(loop_scope="session")
async def scene(fleet: Fleet, writer: Writer, request: pytest.FixtureRequest) -> AsyncIterator[Scene]:
    """A corner of the fleet for one test, for the `case` that it is parametrized with."""
    case = request.getfixturevalue("case") if "case" in request.fixturenames else Case("websocket", "resource", "state")
    opened = Scene(fleet, writer, case)
    yield opened
    await opened.close()
