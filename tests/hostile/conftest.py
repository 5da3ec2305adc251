"""A push server that is fed by hand, and a front door, for whoever is rude to them."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.integration.fronted import Fronted, fronted, trusted_certificate
from tests.integration.test_handoff_wires import MAX_BYTES
from tests.support.broker import Broker
from tests.support.fed_server import FedServer, fed_server


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def fed() -> AsyncIterator[FedServer]:
    """Shared by the tests of a file."""
    async with fed_server(max_message_bytes=MAX_BYTES, bookmark_interval_s=60) as running:
        running.write(4)
        yield running


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A certificate that this process trusts while the tests of a file run."""
    with trusted_certificate(tmp_path_factory.mktemp("hostile")) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def front(broker: Broker, certificate: Path) -> AsyncIterator[Fronted]:
    """One push server, a producer, and HAProxy before them; shared by the tests of a file."""
    async with fronted(broker, certificate.parent, certificate, {}, servers=1) as running:
        yield running
