"""The HTTP side of the producer, served over a real socket, with what it would write kept instead of written."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import orjson
import pytest
import pytest_asyncio
from yarl import URL

from services.producer.app import producer_app
from services.producer.publisher import Publisher
from services.producer.settings import ProducerSettings
from services.producer.write import Ack, Write
from shared.auth_settings import AuthSettings
from shared.catalog import Catalog, CollectionSettings
from shared.gate import Gate
from shared.kafka import KafkaSettings
from shared.problem import Problem
from shared.serving import Listener

SCHEMA = '{"type":"object","required":["price"],"properties":{"price":{"type":"number"}}}'


class RecordingPublisher(Publisher):
    """Keeps the prepared writes; `answers` are given out first, and then an Ack for each write."""

    def __init__(self, catalog: Catalog, settings: ProducerSettings) -> None:
        super().__init__(KafkaSettings(), catalog, settings)
        self.writes: list[Write] = []
        self.together: list[bool] = []
        self.answers: list[Problem] = []

    async def deliver_many(self, writes: Sequence[Write]) -> list[Ack | Problem]:
        return [self._answer_to(write, together=False) for write in writes]

    async def deliver_together(self, writes: Sequence[Write]) -> list[Ack]:
        answers = [self._answer_to(write, together=True) for write in writes]
        for answer in answers:
            if isinstance(answer, Problem):
                raise answer
        return [answer for answer in answers if isinstance(answer, Ack)]

    def _answer_to(self, write: Write, *, together: bool) -> Ack | Problem:
        self.writes.append(write)
        self.together.append(together)
        return self.answers.pop(0) if self.answers else Ack(write.resource, str(len(self.writes)), "cursor")


class Answer(NamedTuple):
    status: int
    body: Any
    headers: dict[str, str]


class Service:
    """A running service; `ask` sends one request, its path as it is."""

    def __init__(self, publisher: RecordingPublisher, port: int, session: aiohttp.ClientSession) -> None:
        self.publisher = publisher
        self.port = port
        self._session = session

    async def ask(
        self, method: str, path: str, body: Any = None, kind: str | None = "application/json", **headers: str
    ) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if kind is not None and body is not None:
            named["Content-Type"] = kind
        url = URL(f"http://127.0.0.1:{self.port}{path}", encoded=True)
        skip = ("Content-Type",) if kind is None else ()
        async with self._session.request(method, url, data=body, headers=named, skip_auto_headers=skip) as answer:
            text = await answer.read()
            return Answer(answer.status, orjson.loads(text) if text else None, dict(answer.headers))


Serve = Callable[..., Awaitable[Service]]


@pytest_asyncio.fixture(loop_scope="session")
async def serve(tmp_path: Path) -> AsyncIterator[Serve]:
    """Starts services, each with settings of its own."""
    schema = tmp_path / "schema.json"
    schema.write_text(SCHEMA)
    catalog = Catalog(
        {
            "items": CollectionSettings(),
            "small": CollectionSettings(max_value_bytes=20),
            "packed": CollectionSettings(value="msgpack"),
            "strict": CollectionSettings(schema=schema),
        }
    )
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())

        async def start(**options: Any) -> Service:
            settings = ProducerSettings(**options)
            publisher = RecordingPublisher(catalog, settings)
            listener = Listener(
                producer_app(publisher, settings, Gate(AuthSettings(mode="none"), catalog, KafkaSettings())),
                host="127.0.0.1",
                port=0,
                ws="none",
            )
            await listener.start()
            stack.push_async_callback(listener.stop, 0.1)
            return Service(publisher, listener.port, session)

        yield start


@pytest.fixture
def trace() -> str:
    """A traceparent."""
    return "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
