"""The revocation log over a real Kafka: read to its end, followed, and believed as a whole when it is another one."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest

from shared.grants import Grants
from shared.kafka import KafkaSettings
from shared.principal import Principal
from shared.revocation_log import RevocationLog
from tests.support.broker import Broker, MavenBroker
from tests.support.records import RawRecord, produce, produce_transaction
from tests.support.server import eventually
from tests.support.topics import Topics

pytestmark = pytest.mark.real_kafka
ANN, BOB = (Principal(name, math.inf, Grants([])) for name in ("ann", "bob"))


def record(sub: str, *, holds: bool = True, partition: int | None = None) -> RawRecord:
    value = orjson.dumps({"revoked_before": 4e9}) if holds else None
    return RawRecord(f"sub:{sub}".encode(), value, partition=partition)


@asynccontextmanager
async def following(
    bootstrap: str, topic: str, told: Callable[..., object] | None = None, **options: Any
) -> AsyncIterator[RevocationLog]:
    log = RevocationLog(KafkaSettings(bootstrap=bootstrap, request_timeout_ms=2000), topic, **options)
    running = asyncio.create_task(log.run(told))
    try:
        yield log
        assert not running.done()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def is_ready(log: RevocationLog) -> None:
    await eventually(lambda: log.not_ready is None, "it has read everything")


async def test_every_partition_is_read_before_it_is_ready(broker: Broker, topics: Topics) -> None:
    topic = await topics.create(partitions=3)
    await produce(broker.bootstrap, topic, [record(f"{number}", partition=number % 3) for number in range(30)])
    told = list[bool]()
    async with following(broker.bootstrap, topic, lambda concerned: told.append(concerned(ANN))) as log:
        await is_ready(log)
        assert len(log.held) == 30
        await produce(broker.bootstrap, topic, [record("ann")])
        await eventually(lambda: told == [False, True], "it tells whom it concerns")
        await eventually(lambda: log.lag == 0 and log.as_of_ms, "it knows that it has everything")


async def test_what_was_aborted_was_never_said(broker: Broker, topics: Topics) -> None:
    topic = await topics.create()
    await produce_transaction(broker.bootstrap, topic, [record("ann")], commit=False)
    await produce_transaction(broker.bootstrap, topic, [record("bob")], commit=True)
    async with following(broker.bootstrap, topic) as log:
        await is_ready(log)
        assert (log.held.revoked(ANN), log.held.revoked(BOB)) == (False, True)


async def test_a_topic_that_has_grown_is_read_anew_with_all_its_partitions(broker: Broker, topics: Topics) -> None:
    topic = await topics.create()
    await produce(broker.bootstrap, topic, [record("ann")])
    async with following(broker.bootstrap, topic, check_s=0.1) as log:
        await is_ready(log)
        await topics.grow(topic, 2)
        await produce(broker.bootstrap, topic, [record("bob", partition=1)])
        await eventually(lambda: log.held.revoked(BOB), "it follows the new partition")
        assert log.held.revoked(ANN)


async def test_a_topic_that_was_made_anew_is_read_anew(broker: Broker, topics: Topics) -> None:
    topic = await topics.create()
    await produce(broker.bootstrap, topic, [record("ann"), record("carl"), record("carl", holds=False)])
    async with following(broker.bootstrap, topic) as log:
        await is_ready(log)
        await topics.delete(topic)
        assert log.held.revoked(ANN)
        assert log.not_ready is None
        await topics.create(topic)
        await produce(broker.bootstrap, topic, [record("bob")])
        await eventually(lambda: log.held.revoked(BOB), "it follows the new one", within_s=30)
        assert not log.held.revoked(ANN)


async def test_while_kafka_is_away_what_is_known_holds_and_afterwards_it_goes_on(own_broker: MavenBroker) -> None:
    async with Topics(own_broker.bootstrap) as topics:
        topic = await topics.create()
    await produce(own_broker.bootstrap, topic, [record("ann")])
    async with following(own_broker.bootstrap, topic) as log:
        await is_ready(log)
        await own_broker.kill()
        async with following(own_broker.bootstrap, topic) as late:
            await eventually(lambda: "KafkaConnectionError" in (late.not_ready or ""), "a new one says why it waits")
            assert (log.held.revoked(ANN), log.not_ready) == (True, None)
            await own_broker.start()
            await is_ready(late)
            assert late.held.revoked(ANN)
        await produce(own_broker.bootstrap, topic, [record("bob")])
        await eventually(lambda: log.held.revoked(BOB), "it goes on", within_s=30)
        assert log.held.revoked(ANN)


async def test_a_silent_kafka_is_asked_anew_and_what_is_known_holds(
    own_broker: MavenBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.revocation_log._WATCHDOG_S", 0.5)
    async with Topics(own_broker.bootstrap) as topics:
        topic = await topics.create()
    await produce(own_broker.bootstrap, topic, [record("ann")])
    async with following(own_broker.bootstrap, topic) as log:
        await is_ready(log)
        own_broker.pause()
        try:
            await eventually(lambda: "no fetch succeeded" in log._trouble, "it gives the consumer up", within_s=30)  # noqa: SLF001 -- it is ready all the while, and says nothing
            await eventually(lambda: "Kafka" in log._trouble, "it asks again, in vain", within_s=30)  # noqa: SLF001 -- the same
            assert (log.held.revoked(ANN), log.not_ready) == (True, None)
        finally:
            own_broker.resume()
        await produce(own_broker.bootstrap, topic, [record("bob")])
        await eventually(lambda: log.held.revoked(BOB), "it goes on", within_s=30)
