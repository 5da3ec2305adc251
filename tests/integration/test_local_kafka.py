"""The embedded broker as `watchroute demo` and `watchroute dev` run it."""

import socket

import pytest
from aiokafka import AIOKafkaProducer

from cli.local_kafka import elsewhere, embedded, make_topics
from cli.settings import AllSettings
from shared.catalog import CollectionSettings
from shared.embedded import PARTITIONS
from shared.identity import read_identities
from shared.kafka import KafkaSettings

KAFKA = KafkaSettings(bootstrap="kafka.example:9092", security_protocol="SSL", compression="zstd")
COLLECTIONS = {"a": CollectionSettings(generation=3), "b": CollectionSettings(topic="other")}
SETTINGS = AllSettings().model_copy(update={"kafka": KAFKA, "collections": COLLECTIONS})


def test_each_run_is_another_generation_of_every_collection() -> None:
    generations = set()
    for _ in range(2):
        with embedded(SETTINGS) as settings:
            generations |= {(name, table.generation) for name, table in settings.collections.items()}
    assert len(generations) == 4


def test_nothing_of_the_configured_kafka_is_meant_for_it() -> None:
    with embedded(SETTINGS) as settings:
        assert settings.kafka == KafkaSettings(bootstrap=settings.kafka.bootstrap, quiet_fetch_wait_ms=10)


def test_it_ends_with_its_block() -> None:
    with embedded(SETTINGS) as settings:
        host, _, port = settings.kafka.bootstrap.partition(":")
        socket.create_connection((host, int(port))).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)))


async def test_topics_are_made_where_there_are_no_admin_calls() -> None:
    with embedded(SETTINGS) as settings:
        await make_topics(settings)
        async with AIOKafkaProducer(bootstrap_servers=settings.kafka.bootstrap) as producer:
            found = await read_identities(producer.client, ["a", "other"])  # which makes none itself
    assert {topic: identity.partitions for topic, identity in found.items()} == {"a": PARTITIONS, "other": PARTITIONS}


def test_another_kafka_is_taken_with_the_rest_of_its_settings() -> None:
    with elsewhere(SETTINGS, "real:9092") as settings:
        assert settings.kafka == SETTINGS.kafka.model_copy(update={"bootstrap": "real:9092"})
        assert settings.collections == SETTINGS.collections
