"""The quick faults, on one cluster; `make chaos` plays all of them.

WATCHROUTE_CHAOS_SEED repeats a run as far as chance goes.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from infra.cluster.kafka_jars import KafkaJars
from tests.chaos.catalogue import QUICK
from tests.chaos.faults.fault import Fault
from tests.chaos.play import play, seed
from tests.chaos.stage import Stage
from tests.integration.fronted import trusted_certificate

LEAST_EVENTS = 500


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(kafka_jars: KafkaJars, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    seed()  # before anything is started
    folder = tmp_path_factory.mktemp("chaos")
    collections = [f"chaos-{number}" for number in range(len(QUICK))]
    with trusted_certificate(folder / "certs"):
        async with Stage(folder, kafka_jars, collections, network=False) as ready:
            yield ready


@pytest.mark.parametrize("fault", QUICK, ids=lambda fault: fault.name)
async def test_a_fault_costs_a_watcher_no_more_than_a_reconnect(stage: Stage, fault: type[Fault]) -> None:
    outcome = await play(stage, fault(), seed())
    assert not outcome.verdict.violations, outcome.explanation()
    assert outcome.verdict.events > LEAST_EVENTS, outcome.row()
    assert outcome.verdict.reconnects > 0, outcome.row()
