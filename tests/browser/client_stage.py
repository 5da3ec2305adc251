"""A cluster with pages before it, a writer behind it, and the oracle that judges what a page was told."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from playwright.async_api import BrowserContext, Page

from infra.cluster.cluster import Cluster
from infra.cluster.kafka_jars import KafkaJars
from infra.cluster.plan import Plan
from infra.cluster.process import HOST
from tests.browser.client_site import served
from tests.support.client import Ask, Watch
from tests.support.fault_proxy import FaultProxy
from tests.support.oracle import Connection, History, judge
from tests.support.oracle_log import TruthLog
from tests.support.oracle_reading import cursor_reader, read_topic, truth_of
from tests.support.recording import Entry

COLLECTION: Final = "page"
RESOURCES: Final = 40
DELETES: Final = 0.15
_CONFIG: Final = f'[auth]\nmode = "none"\n[collections.{COLLECTION}]\nmodes = ["state", "log"]\npartitions = 4\n'
_SERVER: Final = {
    "WATCHROUTE_PUSHSERVER_BOOKMARK_INTERVAL_S": "1",
    "WATCHROUTE_PUSHSERVER_DRAIN_S": "0.5",
    "WATCHROUTE_PUSHSERVER_DRAIN_WAIT_S": "0.5",
    "WATCHROUTE_PUSHSERVER_RECONNECT_MS": "500",
}
_DOOR: Final = {"FRONT_CHECK_INTERVAL": "100ms"}


@dataclass
class Writer:
    """Puts and deletes of random resources, past Watchroute; a last one to wait for is written at the end."""

    bootstrap: str
    rng: random.Random = field(default_factory=lambda: random.Random(7))
    _count: int = 0

    @asynccontextmanager
    async def writing(self, per_s: float = 50) -> AsyncIterator[None]:
        """Write all the while, so many in a second."""
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap, linger_ms=1) as producer:
            task = asyncio.create_task(self._write_on(producer, per_s))
            try:
                yield
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def fill(self) -> None:
        """Write every resource once."""
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap) as producer:
            for number in range(RESOURCES):
                await producer.send(COLLECTION, self._value(), key=f"{number}".encode())

    async def last(self) -> str:
        """Write a resource of its own; its version."""
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap) as producer:
            written = await producer.send_and_wait(COLLECTION, self._value(), key=b"last")
            return str(written.offset)

    async def _write_on(self, producer: AIOKafkaProducer, per_s: float) -> None:
        loop = asyncio.get_running_loop()
        began, written = loop.time(), 0
        while True:
            while written < (loop.time() - began) * per_s:
                written += 1
                value = None if self.rng.random() < DELETES else self._value()
                await producer.send(COLLECTION, value, key=f"{self.rng.randrange(RESOURCES)}".encode())
            await asyncio.sleep(0.01)

    def _value(self) -> bytes:
        self._count += 1
        return json.dumps({"n": self._count}).encode()


@dataclass(frozen=True)
class ClientStage:
    """Pages reach the front door through `network`, which can be cut."""

    cluster: Cluster
    network: FaultProxy
    writer: Writer

    @property
    def url(self) -> str:
        """Where pages are, and what they watch."""
        return f"https://localhost:{self.network.port}"

    async def page(self, context: BrowserContext, **options: Any) -> Page:
        """A page that has begun to watch everything."""
        page = await self.blank(context)
        await page.evaluate("begin", {"path": COLLECTION, **options})
        return page

    async def blank(self, context: BrowserContext, url: str = "") -> Page:
        """A page that does nothing yet."""
        page = await context.new_page()
        await page.goto(f"{url or self.url}/")
        await page.wait_for_function("window.isLoaded")
        return page

    async def settled(self, *pages: Page) -> None:
        """Return when each page knows the last write."""
        version = await self.writer.last()
        for page in pages:
            knows = f"""version => seen.versions["{COLLECTION}/last"] === version || seen.error"""
            await page.wait_for_function(knows, arg=version, timeout=60_000)

    async def judge(self, page: Page) -> list[dict[str, Any]]:
        """Hold what the application was told to the truth, as if it had had one connection; its frames."""
        seen = await page.evaluate("({...seen, cursor: watched.cursor})")
        assert seen["error"] is None
        entries = [Entry(each["frame"], each["cursor"], 0.0) for each in _as_told(seen["entries"])]
        entries.append(Entry(None, seen["cursor"], 0.0))
        history = History("page", "state", [Connection(Ask((Watch(COLLECTION),)), entries)])
        truth = TruthLog(truth_of(COLLECTION, await read_topic(self.cluster.kafka.bootstrap, COLLECTION)))
        report = judge([history], truth, cursor_reader(COLLECTION), settled=True)
        assert report.violations == [], report.violations[:5]
        assert report.events >= RESOURCES // 2
        return [entry.frame for entry in entries if entry.frame is not None]


@asynccontextmanager
async def client_stage(folder: Path, jars: KafkaJars) -> AsyncIterator[ClientStage]:
    """One broker, one producer, two push servers and HAProxy, which also serves the pages."""
    async with served() as pages:
        door = {**_DOOR, "FRONT_PAGES": f"{HOST}:{pages}"}
        plan = Plan(brokers=1, producers=1, servers=2, config=_CONFIG, server=_SERVER, door=door)
        async with Cluster(folder, jars, plan) as cluster:
            dial = lambda: asyncio.open_connection(HOST, cluster.door.port)  # noqa: E731 -- what FaultProxy takes
            async with FaultProxy(dial) as network:
                writer = Writer(cluster.kafka.bootstrap)
                await writer.fill()
                yield ClientStage(cluster, network, writer)
                await cluster.stop()


def _as_told(entries: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """A delete at the version of the put before it is the client's own: a new snapshot lacks it, and has no version."""
    versions: dict[str, str] = {}
    for entry in entries:
        frame = entry["frame"]
        if frame and frame["event"] == "delete" and versions.get(frame["resource"]) == frame["version"]:
            del frame["version"]
        elif frame and "resource" in frame:
            versions[frame["resource"]] = frame["version"]
        yield entry
