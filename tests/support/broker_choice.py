"""Which Kafka a test run uses."""

import os
from dataclasses import dataclass
from pathlib import Path

from infra.cluster.kafka_jars import KafkaJars, KafkaJarsMissing, find_jars
from tests.support.broker import Broker, ExternalBroker, InMemoryBroker, MavenBroker

_DOCKER_SOCKET = Path("/var/run/docker.sock")


@dataclass(frozen=True)
class BrokerChoice:
    """The broker of the run, not yet started, and why it is not a better one."""

    broker: Broker
    why: str = ""
    """Why the run has to do with the embedded broker; empty when it has a real one."""


def choose_broker() -> BrokerChoice:
    """The first that is there: WATCHROUTE_TEST_KAFKA, Docker, Maven's jars (fetched now when missing), embedded."""
    if bootstrap := os.environ.get("WATCHROUTE_TEST_KAFKA"):
        return BrokerChoice(ExternalBroker(bootstrap))
    if docker := _docker():
        return BrokerChoice(docker)
    try:
        return BrokerChoice(MavenBroker(find_jars()))
    except KafkaJarsMissing as missing:
        return BrokerChoice(InMemoryBroker(), f"No Docker engine answers, and:\n{missing}")


def jars_or_reason() -> KafkaJars | str:
    """The jars for a broker of a test's own, or why there are none."""
    try:
        return find_jars()
    except KafkaJarsMissing as missing:
        return str(missing)


def _docker() -> Broker | None:
    if "DOCKER_HOST" not in os.environ and not _DOCKER_SOCKET.exists():
        return None
    from tests.support.broker_docker import DockerBroker, docker_answers  # noqa: PLC0415 -- half a second to load

    return DockerBroker() if docker_answers() else None
