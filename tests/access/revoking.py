"""Push servers and a producer that follow a control topic of a real Kafka, and writing to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import aiohttp
import orjson

from services.pushserver.app import PushServer
from shared.auth_settings import AuthSettings
from shared.kafka import KafkaSettings
from shared.principal import Principal
from shared.revocation_log import RevocationLog
from tests.access.asking import Asked, Route, ask
from tests.access.conftest import Writing, writing
from tests.access.identity import Identity
from tests.access.matrix import carry
from tests.support.broker import Broker
from tests.support.records import RawRecord, produce
from tests.support.server import HOST, eventually, push_server, running
from tests.support.topics import Topics

_GET: Final = Route("GET", "/v1/items/a")


class Running(NamedTuple):
    """A push server of ours."""

    server: PushServer
    port: int

    @property
    def log(self) -> RevocationLog:
        """What it knows of revocations."""
        return log_of(self.server)


class Scene:
    """One Kafka with `items` and a control topic; every server of it trusts `identity`."""

    def __init__(self, broker: Broker, topics: Topics, folder: Path) -> None:
        self._broker = broker
        self._topics = topics
        self._folder = folder
        self.items = self.control = ""
        self.identity: Identity
        self.auth: AuthSettings

    async def set_up(self, *, control: bool = True) -> None:
        """Make the topics; the one that has the revocations only if it is to be there."""
        self.items = await self._topics.create()
        self.control = f"{self.items}-revocations"
        if control:
            await self.make_control()
        secret = self._folder / "tickets"
        secret.write_bytes(b"0123456789abcdef" * 2)
        self.identity = Identity(self._folder, revocations=self.control, ticket_secret_file=secret)
        self.auth = self.identity.auth

    async def make_control(self) -> None:
        """Make the topic that has the revocations."""
        await self._topics.create(self.control, config={"cleanup.policy": "compact"})

    @asynccontextmanager
    async def server(self, *, ready: bool = True, **settings: Any) -> AsyncIterator[Running]:
        """A push server, once it is ready, or at once."""
        server = push_server(
            self._broker.bootstrap,
            {"items": {"topic": self.items, "modes": ["state", "log"]}},
            auth=self.auth,
            **settings,
        )
        async with running(server, ready=ready) as url:
            yield Running(server, int(url.rpartition(":")[2]))

    @asynccontextmanager
    async def servers(self) -> AsyncIterator[tuple[Running, Running]]:
        """Two of them."""
        async with self.server() as one, self.server() as other:
            yield one, other

    @asynccontextmanager
    async def producer(self) -> AsyncIterator[Writing]:
        """A producer that keeps what it would write, once it knows what is revoked."""
        async with writing(self.auth, KafkaSettings(bootstrap=self._broker.bootstrap)) as written:
            log = written.gate.revocations
            assert log is not None
            await eventually(lambda: log.not_ready is None, "the producer knows what is revoked")
            yield written

    async def put(self, resource_id: str, data: object) -> None:
        """Write to `items` what everybody who watches sees."""
        await produce(self._broker.bootstrap, self.items, [RawRecord(resource_id.encode(), orjson.dumps(data))])

    async def say(self, key: str, value: Any = ...) -> None:
        """Write a record to the control topic: by default all tokens of a `sub` until far in the future, or a `jti`."""
        told = ({"revoked_before": 4e9} if key.startswith("sub:") else {}) if value is ... else value
        await self.say_raw(key.encode(), None if told is None else orjson.dumps(told))

    async def say_raw(self, key: bytes | None, value: bytes | None) -> None:
        """The same with any bytes."""
        await produce(self._broker.bootstrap, self.control, [RawRecord(key, value)])


async def prepared(broker: Broker, topics: Topics, folder: Path) -> Scene:
    """A scene of this test alone, with a resource `a`."""
    scene = Scene(broker, topics, folder)
    await scene.set_up()
    await scene.put("a", "first")
    return scene


@asynccontextmanager
async def streams(running: Running, token: str) -> AsyncIterator[tuple["asyncio.Task[str]", "asyncio.Task[Any]"]]:
    """An event stream and a held poll of `items`: what each has told in the end."""
    url = f"http://{HOST}:{running.port}/v1/items"
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession(headers=carry("header", token).headers))
        known = len(running.server.reception.guard)
        stream = await stack.enter_async_context(session.get(f"{url}/stream"))
        first = orjson.loads(await (await session.get(f"{url}/poll")).read())
        told = asyncio.create_task(stream.text())
        polled = asyncio.create_task(_poll(session, f"{url}/poll?cursor={first['cursor']}&wait=50"))
        await eventually(lambda: len(running.server.reception.guard) == known + 2, "both are watching")
        yield told, polled


async def shown(running: Running | Writing, token: str, route: Route = _GET) -> Asked:
    """What is answered to whom shows a token."""
    return await ask(running.port, route, carry("header", token).headers)


def is_refused(answer: Asked) -> bool:
    """Whether it says that the token is good no more."""
    challenge = 'www-authenticate: bearer error="invalid_token"' in answer.head.lower()
    return (answer.status, answer.code) == (401, "unauthenticated") and challenge


def log_of(server: PushServer) -> RevocationLog:
    """What a push server knows of revocations."""
    log = server.gate.revocations
    assert log is not None
    return log


async def until_applied(principal: Principal, *where: Running) -> None:
    """Return when these servers know that the token is good no more."""
    await eventually(lambda: all(each.log.held.revoked(principal) for each in where), "it is applied")


async def _poll(session: aiohttp.ClientSession, url: str) -> Any:
    async with session.get(url) as answer:
        return orjson.loads(await answer.read())
