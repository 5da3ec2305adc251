"""Several Kafka nodes on this machine as one cluster."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Self

from infra.cluster.kafka_node import KafkaNode


class KafkaCluster:
    """A KRaft cluster of `nodes`, which can be stopped, killed and frozen one by one; an async context manager.

    Topics get as many replicas as there are nodes unless asked otherwise, and `min_insync_replicas`.
    A majority of the nodes must run for anything but reading to work. `settings` are further server.properties.
    """

    def __init__(
        self, nodes: Sequence[KafkaNode], *, min_insync_replicas: int = 2, settings: Mapping[str, str] | None = None
    ) -> None:
        self.nodes = {node.node_id: node for node in nodes}
        copies, insync = str(len(nodes)), str(min_insync_replicas)
        self._settings = {
            "default.replication.factor": copies,
            "min.insync.replicas": insync,
            "offsets.topic.replication.factor": copies,
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": insync,
            **(settings or {}),
        }

    @property
    def bootstrap(self) -> str:
        """All nodes' `host:port`, separated by commas."""
        return ",".join(node.broker_port.address for node in self.nodes.values())

    async def start(self) -> None:
        """Format (where there is no data yet) and start all nodes; returns when each of them serves."""
        voters = ",".join(node.voter for node in self.nodes.values())
        await asyncio.gather(*(node.format(voters, self._settings) for node in self.nodes.values()))
        await asyncio.gather(*(node.start() for node in self.nodes.values()))

    async def discard(self) -> None:
        """Kill what runs and remove all data."""
        await asyncio.gather(*(node.discard() for node in self.nodes.values()))

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.discard()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.discard()
