"""The demo, as its reader starts it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from infra.cluster.process import HOST
from tests.e2e.command import Command
from tests.support.fleet import free_port


class Demo(Command):
    """`watchroute demo` over the embedded broker, or over the Kafka at `kafka`."""

    def __init__(self, tmp_path_factory: pytest.TempPathFactory, kafka: str | None = None) -> None:
        self.port = free_port()
        more = ("--kafka", kafka) if kafka else ()
        bookmarks = {"WATCHROUTE_PUSHSERVER_BOOKMARK_INTERVAL_S": "0.5"}
        super().__init__(
            tmp_path_factory.mktemp("demo"), "demo", "--port", str(self.port), *more, environment=bookmarks
        )

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://{HOST}:{self.port}"

    async def ready(self) -> None:
        """Return when it has said so."""
        await self.said(f"Open {self.url}/")


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Demo]:
    """A ready demo for the tests of a file: never stop it."""
    async with Demo(tmp_path_factory) as running:
        await running.ready()
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def own_demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Demo]:
    """A ready demo that a test may stop."""
    async with Demo(tmp_path_factory) as running:
        await running.ready()
        yield running
