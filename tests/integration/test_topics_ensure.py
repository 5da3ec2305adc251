"""`watchroute topics ensure` against a real Kafka."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from infra.cluster.process import ROOT
from tests.support.broker import Broker
from tests.support.fleet import free_port
from tests.support.topics import Topics, unique_name

pytestmark = pytest.mark.real_kafka


class Outcome(NamedTuple):
    status: int
    out: str
    err: str


class Ensure:
    """The command over one collection, whose topic is `topic`."""

    def __init__(self, bootstrap: str, folder: Path) -> None:
        self.topic = unique_name()
        self._bootstrap = bootstrap
        self._config = folder / "watchroute.toml"

    async def __call__(self, *arguments: str, **settings: Any) -> Outcome:
        table = {"topic": self.topic, "partitions": 3, **settings}
        lines = ["[kafka]", f"bootstrap = {json.dumps(self._bootstrap)}", "[collections.c]"]
        self._config.write_text(
            "\n".join([*lines, *(f"{name} = {json.dumps(value)}" for name, value in table.items())])
        )
        command = (sys.executable, "-m", "cli", "topics", "ensure", "--config", str(self._config), *arguments)
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, err = await asyncio.wait_for(process.communicate(), 30)
        assert process.returncode is not None
        return Outcome(process.returncode, out.decode(), err.decode())


@pytest.fixture
def ensure(broker: Broker, tmp_path: Path) -> Ensure:
    return Ensure(broker.bootstrap, tmp_path)


async def test_a_missing_topic_is_created_compacted_and_of_the_right_size(ensure: Ensure, topics: Topics) -> None:
    outcome = await ensure(modes=["state", "log"], delete_retention_s=60, history_s=30)
    assert (outcome.status, outcome.err) == (0, "")
    assert len(await topics.partitions(ensure.topic)) == 3
    assert await topics.config(ensure.topic) == {
        "cleanup.policy": "compact",
        "delete.retention.ms": "60000",
        "max.message.bytes": "1114112",
        "min.compaction.lag.ms": "30000",
        "unclean.leader.election.enable": "false",
    }


async def test_a_collection_without_state_gets_a_topic_that_deletes_by_age(ensure: Ensure, topics: Topics) -> None:
    await ensure(state="none", history_s=120)
    config = await topics.config(ensure.topic)
    assert (config["cleanup.policy"], config["retention.ms"]) == ("delete", "120000")


async def test_a_second_run_finds_everything_as_configured(ensure: Ensure) -> None:
    await ensure()
    assert await ensure() == Outcome(0, f"{ensure.topic}: exists as configured\n", "")


async def test_a_dry_run_creates_nothing(ensure: Ensure) -> None:
    for _ in range(2):
        outcome = await ensure("--dry-run")
        assert outcome.status == 0
        assert f"{ensure.topic}: would be created (3 partitions" in outcome.out


async def test_another_number_of_partitions_is_refused_and_nothing_is_changed(ensure: Ensure, topics: Topics) -> None:
    await ensure()
    outcome = await ensure(partitions=4)
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err.startswith(f"{ensure.topic}: refused: it has 3 partitions, not 4")
    assert len(await topics.partitions(ensure.topic)) == 3


async def test_a_topic_that_deletes_state_is_refused(ensure: Ensure, topics: Topics) -> None:
    await topics.create(ensure.topic, partitions=3, config={"cleanup.policy": "compact,delete"})
    outcome = await ensure()
    assert outcome.status == 1
    assert "cleanup.policy is compact,delete" in outcome.err


async def test_a_harmless_difference_is_reported_and_left(ensure: Ensure, topics: Topics) -> None:
    await ensure(delete_retention_s=60)
    outcome = await ensure(delete_retention_s=90)
    assert outcome == Outcome(0, f"{ensure.topic}: exists, but delete.retention.ms is 60000, not 90000\n", "")
    assert (await topics.config(ensure.topic))["delete.retention.ms"] == "60000"


async def test_more_replicas_than_brokers_is_a_clear_refusal(ensure: Ensure) -> None:
    outcome = await ensure(replication=30)
    assert outcome.status == 1
    assert f"Kafka doesn't create the topic {ensure.topic}" in outcome.err


async def test_a_broker_that_does_not_answer_is_one_clear_line(tmp_path: Path) -> None:
    outcome = await Ensure(f"127.0.0.1:{free_port()}", tmp_path)()
    assert outcome.status == 1
    assert "does not answer" in outcome.err
    assert "Traceback" not in outcome.err
