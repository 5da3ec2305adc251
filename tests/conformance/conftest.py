"""The fleet under test: two push servers and a producer over the Kafka of the run."""

from collections.abc import AsyncIterator, Generator, Iterator
from datetime import date
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
from tests.support.oracle_reading import read_topic
from tests.support.witness import Witness, witnessing

BOTH: Final = ["state", "log"]
SCHEMA: Final = '{"type": "object", "required": ["price"], "properties": {"price": {"type": "number"}}}'

COLLECTIONS: Final[dict[str, dict[str, Any]]] = {
    "items": {"modes": BOTH},
    "others": {"modes": BOTH},
    "playground": {"modes": BOTH},
    "plain": {"partitions": 1},
    "big": {"modes": BOTH, "partitions": 2, "history_records": 100_000},
    "large": {"modes": BOTH, "partitions": 3, "history_records": 100_000},
    "short": {"modes": BOTH, "partitions": 1, "history_records": 5},
    "packed": {"modes": BOTH, "value": "msgpack", "partitions": 1},
    "strict": {"schema": "price.schema.json", "partitions": 1},
    "stateless": {"modes": ["log"], "state": "none", "partitions": 1},
    "small": {"max_value_bytes": 1000, "partitions": 1},
    "old": {"partitions": 1, "deprecated": date(2026, 11, 1), "sunset": date(2027, 5, 1), "successor": "items"},
}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failure what the services wrote last."""
    report = yield
    running = getattr(item, "funcargs", {}).get("fleet")
    if report.failed and isinstance(running, Fleet):
        report.sections += [(f"end of {service.log.name}", service.log_tail()) for service in running.services]
    return report


@pytest.fixture(scope="package", autouse=True)
def witness() -> Iterator[Witness]:
    """Hears every request and frame of this suite."""
    with witnessing() as heard:
        yield heard


@pytest.fixture(autouse=True)
def as_documented(witness: Witness) -> Iterator[None]:
    """Each test fails when something was said, or done when asked, that docs/ doesn't know."""
    witness.mistakes.clear()
    yield
    assert not witness.mistakes, "\n".join(witness.mistakes)


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
        self, collection: str, key: str | bytes, value: bytes | None, *headers: tuple[str, bytes]
    ) -> int:
        """Write one record; its offset."""
        name = key.encode() if isinstance(key, str) else key
        topic = self._fleet.topic(collection)
        sent = await self._producer.send_and_wait(topic, value, key=name, headers=list(headers))
        offset: int = sent.offset
        return offset


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def raw_records(fleet: Fleet) -> AsyncIterator[RawRecords]:
    """A Kafka producer of our own."""
    async with AIOKafkaProducer(bootstrap_servers=fleet.broker.bootstrap, acks="all") as producer:
        yield RawRecords(fleet, producer)


class RawHeaders:
    """Reads the headers of records as Kafka holds them."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    async def __call__(self, collection: str, key: str) -> dict[str, bytes]:
        """The headers of the last record of this key."""
        records = await read_topic(self._fleet.broker.bootstrap, self._fleet.topic(collection))
        return dict([record.headers for record in records if record.key == key.encode()][-1])


@pytest.fixture(scope="session")
def raw_headers(fleet: Fleet) -> RawHeaders:
    """A Kafka consumer of our own."""
    return RawHeaders(fleet)


@pytest.fixture
def case() -> Case:
    """What a test watches when it is not parametrized with cases."""
    return Case("websocket", "resource", "state")


@pytest_asyncio.fixture(loop_scope="session")
async def scene(fleet: Fleet, writer: Writer, case: Case) -> AsyncIterator[Scene]:
    """A corner of the fleet for one test, for its case."""
    opened = Scene(fleet, writer, case)
    yield opened
    await opened.close()
