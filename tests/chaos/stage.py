"""The cluster that faults are played in: with a bad network at hand, and well again after each of them."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, Self

from infra.cluster.ask import ask
from infra.cluster.cluster import Cluster
from infra.cluster.deadline import until
from infra.cluster.kafka_jars import KafkaJars
from infra.cluster.kafka_node import KafkaNode
from infra.cluster.plan import Plan
from infra.cluster.port import ReservedPort
from infra.cluster.process import HOST, ROOT, Process
from infra.cluster.service import Service
from tests.chaos.kafka import Kafka
from tests.support.fault_proxy import Dial, FaultProxy
from tests.support.network import Network

PARTITIONS: Final = 4
LISTENER: Final = "FAULTY"
_PUSHSERVER: Final = {
    "WATCHROUTE_PUSHSERVER_BOOKMARK_INTERVAL_S": "0.5",
    "WATCHROUTE_PUSHSERVER_DRAIN_S": "2",
    "WATCHROUTE_PUSHSERVER_DRAIN_WAIT_S": "0.5",
    "WATCHROUTE_PUSHSERVER_RECONNECT_MS": "500",
    "WATCHROUTE_PUSHSERVER_IDENTITY_CHECK_S": "1",
    # Shorter than the outages: consumers are rebuilt in the middle of them.
    "WATCHROUTE_PUSHSERVER_WATCHDOG_S": "6",
}
_PRODUCER: Final = {
    "WATCHROUTE_PRODUCER_ACK_TIMEOUT_S": "4",
    "WATCHROUTE_PRODUCER_IDENTITY_CHECK_S": "1",
    "WATCHROUTE_PRODUCER_DRAIN_S": "5",
}
_DOOR: Final = {"FRONT_CHECK_INTERVAL": "100ms", "FRONT_HARD_STOP_AFTER": "4s", "FRONT_CLOSE_SPREAD": "2s"}


# A server whose clock is an hour ahead takes an hour from what it keeps for log mode.
_TABLE: Final = """
[collections.{}]
modes = ["state", "log"]
partitions = {}
replication = 3
history_records = 100000
history_s = 14400
"""


class Stage:
    """An async context manager; `collections` are the names of those that a run may use, one for each fault.

    The last push server reaches the brokers through `proxies`, one before each of them. `network` is where clients are
    whose network may be cut, None unless asked for: it needs root.
    """

    def __init__(self, folder: Path, jars: KafkaJars, collections: Sequence[str], *, network: bool = True) -> None:
        plan = Plan(config=_toml(collections), server=_PUSHSERVER, producer=_PRODUCER, door=_DOOR)
        self.cluster = Cluster(folder, jars, plan)
        self.network = Network() if network else None
        self.collections = iter(collections)
        self.proxies = {number: FaultProxy(_dial(_listen(node))) for number, node in self.nodes.items()}
        self._stack = AsyncExitStack()
        self.kafka = Kafka(self.cluster.kafka.bootstrap)

    @property
    def nodes(self) -> dict[int, KafkaNode]:
        """The brokers."""
        return self.cluster.kafka.nodes

    @property
    def servers(self) -> list[Service]:
        """The push servers."""
        return self.cluster.servers

    @property
    def far(self) -> Service:
        """The push server behind the proxies."""
        return self.servers[-1]

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _start(self) -> None:
        for number, proxy in self.proxies.items():
            await self._stack.enter_async_context(proxy)
            self.nodes[number].settings["advertised.listeners"] += f",{LISTENER}://{proxy.address}"
        self.far.variables["WATCHROUTE_KAFKA_BOOTSTRAP"] = ",".join(proxy.address for proxy in self.proxies.values())
        if self.network is not None:
            self._stack.enter_context(self.network)
            door = self.cluster.door
            door.variables["FRONT_BIND"] += f",{self.network.host}:{door.port}"
        await self._stack.enter_async_context(self.cluster)

    async def ensure_topics(self) -> None:
        """Make what topics are missing, as an operator does."""
        variables = {
            "PATH": os.environ["PATH"],
            "WATCHROUTE_CONFIG": str(self.cluster.config),
            "WATCHROUTE_KAFKA_BOOTSTRAP": self.cluster.kafka.bootstrap,
        }
        command = (sys.executable, "-m", "cli", "topics", "ensure")
        ensuring = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=variables, stdout=subprocess.DEVNULL)
        assert await ensuring.wait() == 0, "the topics could not be made"

    async def heal(self) -> None:
        """Undo whatever a fault has left, and return when the cluster is `healthy`."""
        for proxy in self.proxies.values():
            proxy.mend()
        if self.network is not None:
            self.network.mend()
        for process in self.cluster.processes:
            await _revive(process)
        await self.healthy()

    async def healthy(self) -> None:
        """Return when all replicas are in sync, and HAProxy takes all servers for up; raises DeadlineMissed."""
        await until(self._replicated, "all replicas are in sync", within_s=60, every_s=0.2)
        door = self.cluster.door
        for number in range(1, len(self.servers) + 1):
            await door.until_status(f"pushserver{number}", "UP")
        for number in range(1, len(self.cluster.producers) + 1):
            await door.until_status(f"producer{number}", "UP", "producer")

    async def _replicated(self) -> bool:
        found = await self.kafka.partitions()
        return all(part.leader >= 0 and len(part.isr) == len(part.replicas) for part in found)


async def metric(service: Service, name: str, collection: str = "") -> float:
    """A metric of a service, of one collection where it has such a label; 0 when there is none."""
    _, text = await ask(f"{service.admin_url}/metrics")
    wanted = f'{name}{{collection="{collection}"}} ' if collection else f"{name} "
    return next((float(line.removeprefix(wanted)) for line in text.splitlines() if line.startswith(wanted)), 0.0)


async def _revive(process: Process) -> None:
    if process.running:
        process.thaw()
    else:
        process.launch()
    await process.wait_ready()


def _listen(node: KafkaNode) -> ReservedPort:
    """Give a node a second listener, for those whom a proxy stands before; its port."""
    port = ReservedPort()
    plain = f"PLAINTEXT://{node.broker_port.address}"
    node.settings |= {
        "listeners": f"{plain},CONTROLLER://{node.controller_port.address},{LISTENER}://{port.address}",
        "advertised.listeners": plain,
        "listener.security.protocol.map": f"PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,{LISTENER}:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
    }
    return port


def _dial(port: ReservedPort) -> Dial:
    # The port stays reserved for as long as somebody might dial it.
    return lambda: asyncio.open_connection(HOST, port.number)


def _toml(collections: Sequence[str]) -> str:
    return '[auth]\nmode = "none"\n' + "\n".join(_TABLE.format(name, PARTITIONS) for name in collections)
