"""A push server that is fed by hand and a producer that keeps what it would write, both asking for tokens."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from starlette.types import ASGIApp

from infra.cluster.front_door import FrontDoor
from services.producer.app import producer_app
from services.producer.publisher import Publisher
from services.producer.settings import ProducerSettings
from services.producer.write import Ack, Write
from services.pushserver.app import PushServer
from services.pushserver.channel import Channel
from shared.auth_settings import AuthSettings
from shared.catalog import Catalog, CollectionSettings
from shared.event import Event
from shared.gate import Gate
from shared.kafka import KafkaSettings
from shared.problem import Problem
from shared.serving import Listener, admin_app
from tests.access.identity import Identity
from tests.integration.fronted import quick_door, trusted_certificate
from tests.support.server import HOST, push_server

_GRACE_S = 0.2
TABLES: Mapping[str, Mapping[str, Any]] = {"items": {"modes": ["state", "log"]}, "others": {}, "open": {"public": True}}


class Served(NamedTuple):
    """A push server of ours; `channel` is that of `items`."""

    server: PushServer
    port: int
    channel: Channel

    def write(self, resource_id: str, data: bytes) -> None:
        """Feed a change."""
        offset = self.channel.positions[0]
        self.server.hub.broadcast(self.channel, [Event(resource_id, 0, offset, 0, data)], {0: offset + 1})


class Kept(Publisher):
    """Keeps what it is to write."""

    def __init__(self, catalog: Catalog, settings: ProducerSettings) -> None:
        super().__init__(KafkaSettings(), catalog, settings)
        self.writes: list[Write] = []

    async def deliver_many(self, writes: Sequence[Write]) -> list[Ack | Problem]:
        return [self._keep(write) for write in writes]

    async def deliver_together(self, writes: Sequence[Write]) -> list[Ack]:
        return [self._keep(write) for write in writes]

    def _keep(self, write: Write) -> Ack:
        self.writes.append(write)
        return Ack(write.resource, "1", "cursor")


class Writing(NamedTuple):
    """A producer service of ours."""

    publisher: Kept
    port: int
    gate: Gate


@contextlib.asynccontextmanager
async def serving(
    auth: AuthSettings, front: Callable[[PushServer], ASGIApp] | None = None, **settings: Any
) -> AsyncIterator[Served]:
    """A push server that has `items/mine` and `items/hers`, and asks as it is told to; `front` is an app before it."""
    server = push_server("127.0.0.1:1", TABLES, auth=auth, **settings)
    for name in TABLES:
        server.hub.serve(Channel.empty(server.hub.catalog.get(name), b"epoch", 1))
    listener = server.listener(front(server) if front else None)
    await listener.start()
    served = Served(server, listener.port, server.hub.channels["items"])
    for resource_id in ("mine", "hers"):
        served.write(resource_id, b'"secret"')
    guard = server.reception.guard
    running = (server.heartbeat.run(), server.gate.run(guard.revoke), guard.run())
    tasks = [asyncio.create_task(each) for each in running]
    try:
        yield served
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for subscriber in list(server.hub.wheel):
            subscriber.sink.cut()
        await listener.stop(_GRACE_S)


@contextlib.asynccontextmanager
async def writing(auth: AuthSettings, kafka: KafkaSettings | None = None, **own: Any) -> AsyncIterator[Writing]:
    """A producer that asks as it is told to; `kafka` has its revocations."""
    catalog = Catalog({name: CollectionSettings(**table) for name, table in TABLES.items()})
    settings = ProducerSettings(**own)
    publisher = Kept(catalog, settings)
    gate = Gate(auth, catalog, kafka or KafkaSettings())
    keys = asyncio.create_task(gate.run())
    listener = Listener(producer_app(publisher, settings, gate), host=HOST, port=0)
    await listener.start()
    try:
        yield Writing(publisher, listener.port, gate)
    finally:
        keys.cancel()
        await asyncio.gather(keys, return_exceptions=True)
        await listener.stop(_GRACE_S)


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    folder: Path = tmp_path_factory.mktemp("identity")
    return Identity(folder)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def served(identity: Identity) -> AsyncIterator[Served]:
    async with serving(identity.auth) as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def written(identity: Identity) -> AsyncIterator[Writing]:
    async with writing(identity.auth) as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def door(served: Served, written: Writing, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FrontDoor]:
    """HAProxy before both."""
    folder = tmp_path_factory.mktemp("door")
    health = Listener(admin_app(lambda: None), host=HOST, port=0)
    await health.start()
    variables = {"FRONT_SOURCE_HANDSHAKES_10S": "100000", "FRONT_SOURCE_REQUESTS_10S": "100000"}
    for kind, port in (("PUSHSERVER", served.port), ("PRODUCER", written.port)):
        variables |= {f"FRONT_{kind}_1": f"{HOST}:{port}", f"FRONT_{kind}_1_ADMIN": str(health.port)}
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(health.stop, _GRACE_S)
        made = stack.enter_context(trusted_certificate(folder))
        async with quick_door(folder, made, variables) as running:
            await running.until_status("pushserver1", "UP")
            yield running
