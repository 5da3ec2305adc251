"""A push server in the test's own event loop: its parts can be looked at, and slowed down, while clients watch it."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, Self

from prometheus_client import CollectorRegistry

from infra.cluster.deadline import until
from services.pushserver.app import PushServer
from services.pushserver.metrics import expose
from services.pushserver.settings import PushServerSettings
from shared.auth_settings import AuthSettings
from shared.catalog import Catalog, CollectionSettings
from shared.gate import Gate
from shared.kafka import KafkaSettings
from shared.revocation_metrics import expose_revocations
from tests.support.records import RawRecord, produce

HOST: Final = "127.0.0.1"
_FAST: Final[Mapping[str, Any]] = {
    "host": HOST,
    "port": 0,
    "bookmark_interval_s": 0.15,
    "drain_s": 0,
    "overlap_ms": 0,
    "identity_check_s": 0.2,
}
_GRACE_S: Final = 0.5
OPEN: Final = AuthSettings(mode="none")


def push_server(
    bootstrap: str,
    collections: Mapping[str, Mapping[str, Any]],
    *,
    kafka: Mapping[str, Any] | None = None,
    auth: AuthSettings = OPEN,
    **settings: Any,
) -> PushServer:
    """A server of these `[collections.NAME]` tables; `kafka` and `settings` override what makes tests fast."""
    catalog = Catalog({name: CollectionSettings(**table) for name, table in collections.items()})
    brokers = KafkaSettings(bootstrap=bootstrap, **{"request_timeout_ms": 2000, **(kafka or {})})
    return PushServer(PushServerSettings(**{**_FAST, **settings}), brokers, catalog, Gate(auth, catalog, brokers))


@asynccontextmanager
async def running(server: PushServer, *, ready: bool = True) -> AsyncIterator[str]:
    """Run it on a free port; gives its URL once it is ready, or (`ready=False`) at once."""
    listener = server.listener()
    with _garbage_collector_as_it_was():
        await listener.start()
        server.start()
        try:
            if ready:
                await until_ready(server)
            yield f"http://{HOST}:{listener.port}"
            await server.drain.run()
        finally:
            await listener.stop(_GRACE_S)
            await server.stop()


async def until_ready(server: PushServer, *, within_s: float = 15) -> None:
    """Return when it is ready; raises what ended one of its tasks."""
    ended = asyncio.create_task(server.wait())

    async def ready() -> bool:
        if ended.done():
            ended.result()
        return server.not_ready is None

    try:
        await until(ready, "the push server is ready", within_s=within_s, every_s=0.01)
    except AssertionError as late:
        raise AssertionError(f"{late}: {server.not_ready}") from None
    finally:
        ended.cancel()


async def eventually(condition: Callable[[], object], what: str, *, within_s: float = 10) -> None:
    """Return when a condition that needs no waiting is true."""

    async def asked() -> bool:
        return bool(condition())

    await until(asked, what, within_s=within_s, every_s=0.01)


async def until_read(server: PushServer, collection: str, written: Sequence[tuple[int, int]]) -> None:
    """Return when it has read these (partition, offset)."""

    def read() -> bool:
        positions = server.hub.channels[collection].positions
        return all(positions[partition] > offset for partition, offset in written)

    await eventually(read, f"{collection} is read up to {written}")


@asynccontextmanager
async def lagging(server: PushServer) -> AsyncIterator[None]:
    """Let it read no record meanwhile; all else that it does, asking Kafka for ends included, goes on."""
    consumer: Any = server.source._consumer  # noqa: SLF001 -- a server that lags at the word of a test has no public way
    assigned = consumer.assignment()
    consumer.pause(*assigned)
    await eventually(lambda: not consumer._fetcher._in_flight, "no fetch is under way")  # noqa: SLF001 -- the same
    try:
        yield
    finally:
        consumer.resume(*assigned)


async def put(bootstrap: str, topic: str, *pairs: tuple[str, str | None], partition: int | None = None) -> list[int]:
    """Write plain keyed records of a foreign client, None for a delete; the offset of each."""
    records = [
        RawRecord(key.encode(), None if text is None else text.encode(), partition=partition) for key, text in pairs
    ]
    return [offset for _, offset in await produce(bootstrap, topic, records)]


class RawClient:
    """A TCP client that says what it is told to, byte by byte; every wait of it ends after 5 s."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, port: int) -> Self:
        """A connection to a server of this machine."""
        return cls(*await asyncio.open_connection(HOST, port))

    def send(self, *pieces: bytes) -> None:
        """Say something."""
        for piece in pieces:
            self.writer.write(piece)

    async def until(self, text: bytes) -> bytes:
        """All that the server says up to and including a text."""
        async with asyncio.timeout(5):
            return await self.reader.readuntil(text)

    async def rest(self) -> bytes:
        """All that it still says until it hangs up."""
        async with asyncio.timeout(5):
            return await self.reader.read()

    async def close(self) -> None:
        """Hang up."""
        self.writer.close()
        await self.writer.wait_closed()


def metric(server: PushServer, name: str, **labels: str) -> float:
    """What `/metrics` would say of one sample, 0 where it has none."""
    registry = CollectorRegistry()
    expose(server.hub, server.source, server.pause, registry)
    expose_revocations(server.gate.revocations, registry)
    return registry.get_sample_value(f"watchroute_{name}", labels) or 0.0


@contextmanager
def _garbage_collector_as_it_was() -> Iterator[None]:
    thresholds = gc.get_threshold()
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
