"""The Kafka that the tests stand on does what they expect of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from aiokafka.errors import KafkaError, TopicAlreadyExistsError

from infra.cluster.deadline import until
from infra.cluster.kafka_cluster import KafkaCluster
from infra.cluster.kafka_jars import KafkaJars
from infra.cluster.kafka_node import KafkaNode
from tests.support.broker import Broker, MavenBroker
from tests.support.compaction import compact, expire_tombstones
from tests.support.records import RawRecord, produce, produce_transaction, read_all
from tests.support.topics import Topics


async def test_what_is_produced_is_read_back(broker: Broker, topics: Topics) -> None:
    topic = await topics.create()
    sent = [RawRecord(b"a", b"1", (("h", b"x"),)), RawRecord(None, b"2"), RawRecord(b"\xff", None)]
    written = await produce(broker.bootstrap, topic, sent)
    read = {(record.partition, record.offset): record for record in await read_all(broker.bootstrap, topic)}
    assert [read[where].value for where in written] == [b"1", b"2", None]
    assert [read[where].key for where in written] == [b"a", None, b"\xff"]
    assert read[written[0]].headers == (("h", b"x"),)


@pytest.mark.real_kafka
async def test_a_topic_is_created_changed_grown_and_deleted(topics: Topics) -> None:
    topic = await topics.create(partitions=3, config={"cleanup.policy": "compact", "segment.ms": "1000"})
    with pytest.raises(TopicAlreadyExistsError):
        await topics.create(topic)
    await topics.configure(topic, {"segment.ms": "2000"})
    assert await topics.config(topic) == {"cleanup.policy": "compact", "segment.ms": "2000"}
    await topics.grow(topic, 5)
    assert len(await topics.partitions(topic)) == 5
    await topics.delete(topic)
    with pytest.raises(KafkaError):
        await topics.partitions(topic)
    assert await topics.create(topic) == topic


@pytest.mark.real_kafka
async def test_an_aborted_transaction_is_written_but_not_read(broker: Broker, topics: Topics) -> None:
    topic = await topics.create()
    await produce_transaction(broker.bootstrap, topic, [RawRecord(b"k", b"aborted")], commit=False)
    await produce_transaction(broker.bootstrap, topic, [RawRecord(b"k", b"committed")], commit=True)
    committed = await read_all(broker.bootstrap, topic)
    everything = await read_all(broker.bootstrap, topic, isolation_level="read_uncommitted")
    assert [record.value for record in committed] == [b"committed"]
    assert [record.value for record in everything] == [b"aborted", b"committed"]


_SUPERSEDED = [RawRecord(b"a", b"1"), RawRecord(b"b", b"1"), RawRecord(b"a", b"2"), RawRecord(b"b", None)]
_FILLER = RawRecord(b"filler", b"0")


async def _left_besides_filler(broker: Broker, topic: str) -> list[tuple[bytes | None, bytes | None]]:
    records = await read_all(broker.bootstrap, topic)
    return sorted((record.key, record.value) for record in records if record.key != _FILLER.key)


@pytest.mark.real_kafka
async def test_compaction_removes_superseded_records_and_keeps_tombstones(broker: Broker, topics: Topics) -> None:
    topic = await topics.create(partitions=2)
    await produce(broker.bootstrap, topic, _SUPERSEDED)
    await compact(broker.bootstrap, topic, filler=_FILLER)
    assert await _left_besides_filler(broker, topic) == [(b"a", b"2"), (b"b", None)]


@pytest.mark.real_kafka
async def test_expired_tombstones_are_gone(broker: Broker, topics: Topics) -> None:
    topic = await topics.create(partitions=2)
    await produce(broker.bootstrap, topic, _SUPERSEDED)
    await expire_tombstones(broker.bootstrap, topic, filler=_FILLER)
    assert await _left_besides_filler(broker, topic) == [(b"a", b"2")]


def test_a_jvm_takes_what_it_can_from_the_archive(kafka_jars: KafkaJars) -> None:
    if not kafka_jars.archive.exists():
        pytest.skip("needs the archive that make test-tools makes")
    java, *others = kafka_jars.command("kafka.tools.StorageTool", "version-mapping")
    told = subprocess.run([java, "-Xlog:class+load", *others], capture_output=True, text=True, check=True).stdout
    own = [line for line in told.splitlines() if "org.apache.kafka." in line]
    assert sum("shared objects file (top)" in line for line in own) > len(own) / 2


async def test_a_broker_keeps_its_data_and_address_when_stopped_and_when_killed(own_broker: MavenBroker) -> None:
    address = own_broker.bootstrap
    async with Topics(address) as topics:
        topic = await topics.create()
    await produce(address, topic, [RawRecord(b"k", b"1")])
    await own_broker.restart()
    await produce(address, topic, [RawRecord(b"k", b"2")])
    await own_broker.kill()
    with pytest.raises(KafkaError):
        await produce(address, topic, [RawRecord(b"k", b"lost")])
    await own_broker.start()
    assert [record.value for record in await read_all(address, topic)] == [b"1", b"2"]


async def test_a_paused_broker_answers_nothing_until_it_is_resumed(own_broker: MavenBroker) -> None:
    async with Topics(own_broker.bootstrap) as topics:
        topic = await topics.create()
    own_broker.pause()
    with pytest.raises(KafkaError):
        await produce(own_broker.bootstrap, topic, [RawRecord(b"k", b"1")], request_timeout_ms=500)
    own_broker.resume()
    await produce(own_broker.bootstrap, topic, [RawRecord(b"k", b"2")])
    assert [record.value for record in await read_all(own_broker.bootstrap, topic)] == [b"2"]


async def test_a_cluster_goes_on_without_one_node_and_takes_it_back(kafka_jars: KafkaJars) -> None:
    nodes = [KafkaNode(kafka_jars, number) for number in (1, 2, 3)]
    async with KafkaCluster(nodes) as cluster, Topics(cluster.bootstrap) as topics:
        topic = await topics.create(partitions=3, replication=3)
        await produce(cluster.bootstrap, topic, [RawRecord(b"k", b"1")])
        await cluster.nodes[2].kill()
        await produce(cluster.bootstrap, topic, [RawRecord(b"k", b"2")])
        await cluster.nodes[2].start()
        cluster.nodes[3].freeze()
        await produce(cluster.nodes[1].broker_port.address, topic, [RawRecord(b"k", b"3")], request_timeout_ms=2000)
        cluster.nodes[3].thaw()
        assert [record.value for record in await read_all(cluster.bootstrap, topic)] == [b"1", b"2", b"3"]

        async def whole() -> bool:
            return all(len(partition["isr"]) == 3 for partition in await topics.partitions(topic))

        await until(whole, "every partition is in sync on all three nodes")


@pytest.mark.parametrize(("ci", "exit_code"), [("true", pytest.ExitCode.TESTS_FAILED), ("", pytest.ExitCode.OK)])
def test_a_skipped_test_fails_the_run_in_ci_and_only_there(ci: str, exit_code: pytest.ExitCode) -> None:
    paused = f"{__file__}::{test_a_paused_broker_answers_nothing_until_it_is_resumed.__name__}"
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", paused],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"CI": ci, "JAVA_HOME": "/there/is/no/java/here"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == exit_code, run.stdout + run.stderr
    assert "1 skipped" in run.stdout
    assert ("FAILED: CI=true" in run.stdout) == (ci == "true")
