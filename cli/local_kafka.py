"""The Kafka of `watchroute demo` and `watchroute dev`: the embedded broker, or a real one that is there already."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from aiokafka import AIOKafkaProducer

from cli.settings import AllSettings
from cli.topic_admin import KafkaRefused, NoAdminCalls
from cli.topic_plan import all_wanted
from cli.topics import ensure_topics
from shared.embedded import FETCH_WAIT_MS, EmbeddedBroker
from shared.kafka import KafkaSettings, client_options

_CLIENT_ID: Final = "watchroute-local"


@contextmanager
def embedded(settings: AllSettings) -> Iterator[AllSettings]:
    """Run the embedded broker for as long as the block; yields the settings that go with it.

    Its cluster looks the same in every run, so that cursors of an earlier one would be taken for its own: each run
    gives every collection a generation of its own.
    """
    broker = EmbeddedBroker()
    bootstrap = broker.start()
    generation = time.time_ns() // 1_000_000
    # Nothing else of [kafka] is meant for it: it has neither users nor certificates.
    kafka = KafkaSettings(bootstrap=bootstrap, quiet_fetch_wait_ms=FETCH_WAIT_MS)
    collections = {
        name: collection.model_copy(update={"generation": generation})
        for name, collection in settings.collections.items()
    }
    producer = settings.producer.model_copy(update={"create_topics": True})
    try:
        yield settings.model_copy(update={"kafka": kafka, "collections": collections, "producer": producer})
    finally:
        broker.stop()


@contextmanager
def elsewhere(settings: AllSettings, bootstrap: str) -> Iterator[AllSettings]:
    """The settings for a Kafka that someone else runs."""
    yield settings.model_copy(update={"kafka": settings.kafka.model_copy(update={"bootstrap": bootstrap})})


async def make_topics(settings: AllSettings) -> None:
    """Make the topics that are missing; raises KafkaRefused.

    A broker without admin calls (the embedded one, wherever it runs) makes them when it is asked for them.
    """
    wanted = all_wanted(settings.collections, settings.auth)
    try:
        findings = await ensure_topics(settings.kafka, wanted)
    except NoAdminCalls:
        await _touch(settings, [topic.topic for topic in wanted])
        return
    mistakes = [
        f"  {found.wanted.topic}: {note}" for found in findings if found.verdict == "refused" for note in found.notes
    ]
    if mistakes:
        raise KafkaRefused("the topics don't fit:\n" + "\n".join(mistakes))


async def _touch(settings: AllSettings, topics: list[str]) -> None:
    producer = AIOKafkaProducer(**client_options(settings.kafka, _CLIENT_ID))
    try:
        await producer.start()
        for topic in topics:
            await producer.partitions_for(topic)
    finally:
        await producer.stop()
