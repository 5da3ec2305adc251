"""The Kafka of the run, the topics on it, and what a run says of both."""

import os
import re
from collections import Counter
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from xdist.remote import Producer

from infra.cluster.kafka_jars import KafkaJars
from tests.support.broker import Broker, MavenBroker
from tests.support.broker_choice import BrokerChoice, choose_broker, jars_or_reason
from tests.support.side_by_side import SideBySide, runs_alone
from tests.support.topics import Topics

_CHOICE = pytest.StashKey[BrokerChoice]()
_PROMISE = re.compile(r"::test_((?:guarantee_\d|row)_\w+)")


def pytest_configure(config: pytest.Config) -> None:
    """Choose the Kafka once for the run; it is started by the first test that needs it."""
    config.stash[_CHOICE] = choose_broker()


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say which Kafka the tests will use."""
    return _kafka_lines(config.stash[_CHOICE])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> SideBySide:
    """Let several workers have the files in the order of the collection."""
    config.option.loadscopereorder = False
    return SideBySide(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring what runs alone to the end."""
    items.sort(key=lambda item: runs_alone(item.nodeid))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what only a real Kafka can show when there is none."""
    choice = item.config.stash[_CHOICE]
    if item.get_closest_marker("real_kafka") and not choice.broker.real:
        pytest.skip("needs a real Kafka, and this run has the embedded one (the section Kafka says why)")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skipped test is a promise that nobody checked: the run fails."""
    if _ci() and _skipped(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name each guarantee with what became of it, which Kafka was used, and in CI what was skipped."""
    if guarantees := _guarantees(terminalreporter):
        terminalreporter.section("Guarantees")
        for name, outcomes in sorted(guarantees.items()):
            terminalreporter.line(f"{name}: {', '.join(f'{count} {outcome}' for outcome, count in outcomes.items())}")
    terminalreporter.section("Kafka")
    for line in _kafka_lines(config.stash[_CHOICE]):
        terminalreporter.line(line)
    if _ci() and (skipped := _skipped(config)):
        terminalreporter.line(f"FAILED: CI=true, and of what the run promises {len(skipped)} were skipped:", red=True)
        for test in skipped:
            terminalreporter.line(f"  {test}", red=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def broker(pytestconfig: pytest.Config) -> AsyncIterator[Broker]:
    """The Kafka that all tests share: never stop it, and use topics of your own."""
    async with pytestconfig.stash[_CHOICE].broker as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def topics(broker: Broker) -> AsyncIterator[Topics]:
    """The topics of the shared Kafka."""
    async with Topics(broker.bootstrap, real=broker.real) as opened:
        yield opened


@pytest.fixture(scope="session")
def kafka_jars() -> KafkaJars:
    """What brokers of a test's own run on; skips the test when there is none."""
    jars = jars_or_reason()
    if isinstance(jars, str):
        pytest.skip(f"needs a Kafka process of its own. {jars.splitlines()[0]}")
    return jars


@pytest_asyncio.fixture(loop_scope="session")
async def own_broker(kafka_jars: KafkaJars) -> AsyncIterator[MavenBroker]:
    """A Kafka for this test alone, to stop, kill and pause."""
    async with MavenBroker(kafka_jars) as running:
        yield running


def _guarantees(terminalreporter: pytest.TerminalReporter) -> dict[str, Counter[str]]:
    """For each guarantee, and each row of the table of situations, how many of its cases passed, failed, …."""
    found: dict[str, Counter[str]] = {}
    for outcome in ("passed", "failed", "skipped"):
        for report in terminalreporter.stats.get(outcome, ()):
            if match := _PROMISE.search(report.nodeid):
                name = match[1].replace("_", " ")
                found.setdefault(name, Counter())[outcome] += 1
    return found


def _kafka_lines(choice: BrokerChoice) -> list[str]:
    return [f"kafka: {choice.broker.describe()}", *(f"kafka: {line}" for line in choice.why.splitlines())]


def _ci() -> bool:
    return os.environ.get("CI", "").lower() in {"true", "1"}


def _skipped(config: pytest.Config) -> list[str]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return [] if reporter is None else [report.nodeid for report in reporter.stats.get("skipped", [])]
