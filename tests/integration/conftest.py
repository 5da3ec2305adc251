"""What the tests of the front door share."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.integration.fronted import Fronted, fronted, trusted_certificate
from tests.support.broker import Broker


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A certificate that this process trusts while the tests of a file run."""
    with trusted_certificate(tmp_path_factory.mktemp("front")) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def front(broker: Broker, certificate: Path) -> AsyncIterator[Fronted]:
    """Shared by the tests of a file: stop nothing, and use resources of your own."""
    async with fronted(broker, certificate.parent, certificate, {}) as running:
        yield running
