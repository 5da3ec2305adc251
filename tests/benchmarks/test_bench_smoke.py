"""`make bench` in small: every scenario runs once, and what it counts is right. No figure of time is looked at."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing

import pytest
import pytest_asyncio

from load.bench.catalogue import SCENARIOS
from load.bench.figures import Figures
from load.bench.rig import Rig, rigged
from load.bench.scenario import Scenario
from tests.support.broker import Broker

AT_A_TIME = 4
EXPECTED: Mapping[str, Mapping[str, float]] = {
    "paced-ws": {"received": 200, "deliveries": 200, "records": 10, "elided": 0},
    "paced-sse": {"received": 200, "deliveries": 200, "records": 10, "elided": 0},
    "put": {"received": 200, "deliveries": 200, "records": 10, "elided": 0},
    "burst-log": {"received": 20_000, "deliveries": 20_000, "records": 1000, "elided": 0},
    "burst-state": {"records": 1000},
    "wide": {"received": 500, "deliveries": 500, "records": 500},
    "collection": {"received": 2000, "deliveries": 2000, "elided": 0, "paced_records": 200},
    "mixed": {"records": 6},
    "idle": {"ws_connections": 100, "sse_connections": 100},
    "connect-ws": {"connections": 50},
    "connect-sse": {"connections": 50},
    "resume": {"told": 500},
    "snapshot": {"told": 9000},
    "boot": {"resources": 2000},
    "ingest": {"records": 1000},
    "egress": {"paced_records": 200, "at_once_records": 500},
    "quiet": {"records": 5},
    "pauses": {"received": 500, "deliveries": 500},
    "servers": {"one_received": 100, "two_received": 200, "both_received": 200},
    "peers": {"ours_received": 200, "sockets_received": 200},
}
"""What a quick run of each counts, whatever the machine; that nothing is lost or out of order it checks by itself."""
JOINED: Mapping[str, float] = {"burst-log": 1 / 50, "burst-state": 1 / 50, "collection": 1 / 10}
"""How many writes there are at most for a delivery, where many changes come at once."""
ONLY_WHERE_IT_CAN_BE_HAD = {"own_longest_ms", "nchan_ratio", "nchan_cpu_us", "nchan_p99_ms"}
"""A server may lack the metric, a machine the peer."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def measured(broker: Broker) -> AsyncIterator[Mapping[str, "asyncio.Task[Figures]"]]:
    """A run of each scenario, a few at a time: most of it is waiting for processes to start."""
    places = asyncio.Semaphore(AT_A_TIME)

    async def once(rig: Rig, scenario: Scenario) -> Figures:
        async with places, aclosing(scenario.runs(rig)) as runs:
            return await anext(runs)

    async with rigged(broker, quick=True) as rig:
        tasks = {name: asyncio.create_task(once(rig, scenario)) for name, scenario in SCENARIOS.items()}
        yield tasks
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)


@pytest.mark.parametrize("name", SCENARIOS)
async def test_a_scenario_delivers_and_counts_what_it_should(
    measured: Mapping[str, "asyncio.Task[Figures]"], name: str
) -> None:
    figures = await measured[name]
    assert {key: figures[key] for key in EXPECTED[name]} == EXPECTED[name]
    promised = {figure.key for figure in SCENARIOS[name].figures} - ONLY_WHERE_IT_CAN_BE_HAD
    assert promised <= figures.keys()


@pytest.mark.parametrize("name", ["paced-ws", "paced-sse", "put", "wide", "pauses"])
async def test_a_delivery_takes_at_most_one_write(measured: Mapping[str, "asyncio.Task[Figures]"], name: str) -> None:
    figures = await measured[name]
    assert 0 < figures["writes"] <= figures["deliveries"]


@pytest.mark.parametrize("name", JOINED)
async def test_changes_that_come_at_once_are_joined_into_few_writes(
    measured: Mapping[str, "asyncio.Task[Figures]"], name: str
) -> None:
    figures = await measured[name]
    assert 0 < figures["writes"] <= figures["deliveries"] * JOINED[name]


async def test_the_kernel_is_called_as_seldom_as_the_server_says(
    measured: Mapping[str, "asyncio.Task[Figures]"],
) -> None:
    figures = await measured["burst-log"]
    assert figures["write_calls"] <= figures["deliveries"] / 50


async def test_what_a_burst_leaves_out_in_state_mode_is_counted_as_elided(
    measured: Mapping[str, "asyncio.Task[Figures]"],
) -> None:
    figures = await measured["burst-state"]
    assert figures["received"] + figures["elided"] == 20_000


async def test_the_floor_is_measured_beside_every_figure_that_names_one(
    measured: Mapping[str, "asyncio.Task[Figures]"],
) -> None:
    for name, scenario in SCENARIOS.items():
        figures = await measured[name]
        assert all(figures[figure.floor] > 0 for figure in scenario.figures if figure.floor), name
