"""The cluster: Kafka, producers, push servers and HAProxy, each a process of this machine."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, Self

from infra.cluster.front_door import FrontDoor, addresses, certificate, require_haproxy
from infra.cluster.kafka_cluster import KafkaCluster
from infra.cluster.kafka_jars import KafkaJars
from infra.cluster.kafka_node import KafkaNode
from infra.cluster.pages import Pages
from infra.cluster.plan import SCHEMAS, Plan
from infra.cluster.process import ROOT, Process, ProcessFailed
from infra.cluster.service import Service

# Everybody comes from one address, and a browser is not to refuse plain HTTP at localhost's other ports.
_DOOR: Final = {
    "FRONT_HSTS_S": "0",
    "FRONT_SOURCE_CONNECTIONS": "20000",
    "FRONT_SOURCE_STREAMS": "20000",
    "FRONT_SOURCE_HANDSHAKES_10S": "20000",
    "FRONT_SOURCE_REQUESTS_10S": "100000",
}
_STOPS_WITHIN_S: Final = 30
_KAFKA_STOPS_WITHIN_S: Final = 20


class Cluster:
    """All of it, in one folder: `logs/`, the configuration, Kafka's data. An async context manager.

    Once entered everything is ready, and HAProxy knows it. Left, all of it is killed; `stop` before is a clean end.
    Data that is in the folder already is served again. Raises NoFrontDoor, PortTaken and ProcessFailed.
    """

    def __init__(self, folder: Path, jars: KafkaJars, plan: Plan, *, certificates: Path | None = None) -> None:
        require_haproxy()
        self.folder = folder
        self.logs = folder / "logs"
        self.config = folder / "watchroute.toml"
        self.plan = plan
        self._certificates = certificates or folder / "certs"
        self.kafka = KafkaCluster(
            [self._node(jars, number) for number in range(1, plan.brokers + 1)],
            min_insync_replicas=min(2, plan.brokers),
            settings=plan.kafka,
        )
        self.producers = [self._producer(number) for number in range(1, plan.producers + 1)]
        self.servers = [self._server(number) for number in range(1, plan.servers + 1)]
        self.pages = [self._pages()] if plan.pages else []
        self.door = FrontDoor(
            self.logs, self._certificates, self._behind_the_door(), name="haproxy", ports=plan.ports.door()
        )

    @property
    def url(self) -> str:
        """Where clients go."""
        return self.door.url

    @property
    def processes(self) -> Iterator[Process]:
        """All of them, in the order in which they need each other."""
        yield from self.kafka.nodes.values()
        yield from self.producers
        yield from self.servers
        yield from self.pages
        yield self.door

    async def start(self) -> None:
        """Start everything, and wait until it serves."""
        self._write_files()
        await self.kafka.start()
        await asyncio.to_thread(self._ensure_topics)
        behind = [*self._services(), *self.pages]
        for process in behind:
            process.launch()
        await asyncio.gather(*(process.wait_ready() for process in behind))
        await self.door.start()
        for number in range(1, len(self.servers) + 1):
            await self.door.until_status(f"pushserver{number}", "UP")
        for number in range(1, len(self.producers) + 1):
            await self.door.until_status(f"producer{number}", "UP", "producer")

    async def stop(self) -> None:
        """SIGTERM, to the services first: watchers are sent away. What takes too long is killed."""
        await _stop(self._services(), _STOPS_WITHIN_S)
        await _stop([self.door, *self.pages], _STOPS_WITHIN_S)
        await _stop(self.kafka.nodes.values(), _KAFKA_STOPS_WITHIN_S)

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in self.processes:
            process.end_now()

    def _services(self) -> list[Service]:
        return [*self.producers, *self.servers]

    def _node(self, jars: KafkaJars, number: int) -> KafkaNode:
        folder, log = self.folder / f"kafka-{number}", self.logs / f"kafka-{number}.log"
        return KafkaNode(jars, number, folder=folder, log=log, ports=self.plan.ports.kafka(number))

    def _producer(self, number: int) -> Service:
        name, ports = f"producer-{number}", self.plan.ports.producer(number)
        variables = {**self._variables(), **self.plan.producer}
        return Service("producer", self.logs, self.config, variables, name=name, ports=ports)

    def _server(self, number: int) -> Service:
        name, ports = f"pushserver-{number}", self.plan.ports.server(number)
        producer = self.producers[number % len(self.producers)]
        variables = {"WATCHROUTE_PUSHSERVER_PRODUCER_URL": producer.url, **self._variables(), **self.plan.server}
        return Service("pushserver", self.logs, self.config, variables, name=name, ports=ports)

    def _pages(self) -> Pages:
        variables = {"WATCHROUTE_CONFIG": str(self.config), **self._variables()}
        return Pages(self.logs, variables, self.plan.ports.pages())

    def _behind_the_door(self) -> dict[str, str]:
        servers, producers = addresses("PUSHSERVER", self.servers), addresses("PRODUCER", self.producers)
        pages = {"FRONT_PAGES": self.pages[0].address} if self.pages else {}
        return {**servers, **producers, **pages, **_DOOR, **self.plan.door}

    def _variables(self) -> dict[str, str]:
        return {"WATCHROUTE_KAFKA_BOOTSTRAP": self.kafka.bootstrap, **self.plan.every}

    def _write_files(self) -> None:
        for folder in (self.logs, *(node.folder for node in self.kafka.nodes.values())):
            folder.mkdir(parents=True, exist_ok=True)
        certificate(self._certificates)
        self.config.write_text(self.plan.config)
        # Schemas are named relative to the file, as compose and Kubernetes mount them.
        shutil.copytree(SCHEMAS, self.folder / "schemas", dirs_exist_ok=True)

    def _ensure_topics(self) -> None:
        command = [sys.executable, "-m", "cli", "topics", "ensure"]
        variables = os.environ | self._variables() | {"WATCHROUTE_CONFIG": str(self.config)}
        done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ProcessFailed(f"the topics could not be made:\n{done.stdout}{done.stderr}")


async def _stop(processes: Iterable[Process], within_s: float) -> None:
    running = [process for process in processes if process.running]
    await asyncio.gather(*(process.stop(within_s) for process in running), return_exceptions=True)
