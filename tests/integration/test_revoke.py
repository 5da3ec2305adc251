"""`watchroute revoke`, and the control topic that `watchroute topics ensure` makes, against a real Kafka."""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import NamedTuple

import orjson
import pytest

from infra.cluster.process import ROOT
from tests.support.broker import Broker
from tests.support.fleet import free_port
from tests.support.records import read_all
from tests.support.topics import Topics, unique_name

pytestmark = pytest.mark.real_kafka
CONFIG = """
[kafka]
bootstrap = {bootstrap}
request_timeout_ms = 2000
[auth]
mode = "none"
{revocations}
[collections.{topic}]
partitions = 1
"""


class Outcome(NamedTuple):
    status: int
    out: str
    err: str


class Command:
    """`watchroute`, with a configuration whose control topic is `control`."""

    def __init__(self, bootstrap: str, folder: Path, *, control: str | None) -> None:
        self.control = control or ""
        self._config = folder / "watchroute.toml"
        revocations = f"revocations = {json.dumps(control)}" if control else ""
        text = CONFIG.format(bootstrap=json.dumps(bootstrap), revocations=revocations, topic=unique_name("c"))
        self._config.write_text(text)

    async def __call__(self, *arguments: str) -> Outcome:
        command = (sys.executable, "-m", "cli", *arguments, "--config", str(self._config))
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, err = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode is not None
        return Outcome(process.returncode, out.decode(), err.decode())


@pytest.fixture
def watchroute(broker: Broker, tmp_path: Path) -> Command:
    return Command(broker.bootstrap, tmp_path, control=unique_name("control"))


async def test_it_is_written_listed_and_taken_back(watchroute: Command, broker: Broker, topics: Topics) -> None:
    missing = await watchroute("revoke", "--sub", "ann")
    assert missing.status == 1
    assert missing.err == (
        f"watchroute: the topic {watchroute.control} does not exist: `watchroute topics ensure` makes it\n"
    )
    shown = await watchroute("check-config", "--connect")
    assert f"# {watchroute.control}: would be created" in shown.out
    made = await watchroute("topics", "ensure")
    assert f"{watchroute.control}: created (1 partitions, replication 1, " in made.out
    config = await topics.config(watchroute.control)
    assert (config["cleanup.policy"], len(await topics.partitions(watchroute.control))) == ("compact", 1)

    before = time.time()
    assert (await watchroute("revoke", "--sub", "ann")).status == 0
    assert (await watchroute("revoke", "--sub", "bob: ü", "--before", "86400")).status == 0
    assert (await watchroute("revoke", "--jti", "4f1c")).out == "jti:4f1c: revoked\n"
    listed = (await watchroute("revoke", "--list")).out.splitlines()
    assert listed[0].startswith("sub:ann: revoked what was issued before 20")
    assert listed[1:] == [
        "sub:bob: ü: revoked what was issued before 1970-01-02T00:00:00.000+00:00",
        "jti:4f1c: revoked",
    ]
    records = await read_all(broker.bootstrap, watchroute.control)
    assert [found.key for found in records] == [b"sub:ann", "sub:bob: ü".encode(), b"jti:4f1c"]
    assert before < orjson.loads(records[0].value or b"")["revoked_before"] < time.time()

    assert (await watchroute("revoke", "--sub", "ann", "--undo")).out == "sub:ann: good again\n"
    assert (await watchroute("revoke", "--jti", "4f1c", "--undo")).status == 0
    assert (await watchroute("revoke", "--list")).out.splitlines() == listed[1:2]


async def test_a_topic_that_forgets_is_not_written_to(watchroute: Command, broker: Broker, topics: Topics) -> None:
    await topics.create(watchroute.control, partitions=2, config={"cleanup.policy": "delete"})
    for arguments in (("revoke", "--sub", "ann"), ("revoke", "--list"), ("topics", "ensure")):
        outcome = await watchroute(*arguments)
        assert outcome.status == 1
        assert "it has 2 partitions, not 1: a revocation and what takes it back have to be in one order" in outcome.err
        assert "its cleanup.policy is delete, not compact: Kafka forgets what was revoked" in outcome.err
    assert await read_all(broker.bootstrap, watchroute.control) == []


async def test_without_a_topic_or_a_kafka_it_says_so(broker: Broker, tmp_path: Path) -> None:
    unnamed = await Command(broker.bootstrap, tmp_path, control=None)("revoke", "--jti", "1")
    assert unnamed.status == 1
    assert "auth.revocations (WATCHROUTE_AUTH_REVOCATIONS): name the topic" in unnamed.err
    nowhere = f"127.0.0.1:{free_port()}"
    away = await Command(nowhere, tmp_path, control="control")("revoke", "--jti", "1")
    assert away.status == 1
    assert f"watchroute: Kafka at {nowhere} does not answer" in away.err
    assert "Traceback" not in away.err
