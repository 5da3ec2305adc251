"""Several Kafka nodes on this machine as one cluster."""

import asyncio
from typing import Self

from tests.support.broker_jars import KafkaJars
from tests.support.broker_node import KafkaNode


class BrokerCluster:
    """A KRaft cluster whose nodes, numbered 1 to n, can be stopped, killed and paused one by one.

    Topics get as many replicas as there are nodes unless asked otherwise, and `min_insync_replicas`.
    A majority of the nodes must run for anything but reading to work.
    """

    def __init__(self, jars: KafkaJars, nodes: int = 3, *, min_insync_replicas: int = 2) -> None:
        self._nodes = {number: KafkaNode(jars, number) for number in range(1, nodes + 1)}
        copies, insync = str(nodes), str(min_insync_replicas)
        self._settings = {
            "default.replication.factor": copies,
            "min.insync.replicas": insync,
            "offsets.topic.replication.factor": copies,
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": insync,
        }

    @property
    def bootstrap(self) -> str:
        """All nodes' `host:port`, separated by commas."""
        return ",".join(node.broker_port.address for node in self._nodes.values())

    def address(self, node: int) -> str:
        """One node's `host:port`."""
        return self._nodes[node].broker_port.address

    async def start(self) -> None:
        """Format and start all nodes; returns when each of them serves."""
        voters = ",".join(node.voter for node in self._nodes.values())
        await asyncio.gather(*(node.format(voters, self._settings) for node in self._nodes.values()))
        await asyncio.gather(*(node.start() for node in self._nodes.values()))

    async def start_node(self, node: int) -> None:
        """Start one that was stopped or killed; returns when it serves again (it may still be catching up)."""
        await self._nodes[node].start()

    async def stop_node(self, node: int) -> None:
        """SIGTERM: it hands its partitions over, then ends."""
        await self._nodes[node].stop()

    async def kill_node(self, node: int) -> None:
        """SIGKILL."""
        await self._nodes[node].kill()

    def pause_node(self, node: int) -> None:
        """SIGSTOP."""
        self._nodes[node].pause()

    def resume_node(self, node: int) -> None:
        """SIGCONT."""
        self._nodes[node].resume()

    async def close(self) -> None:
        """Kill what runs and remove all data."""
        await asyncio.gather(*(node.discard() for node in self._nodes.values()))

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
