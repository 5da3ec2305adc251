"""Which log a topic is: its identity, and the epoch that stands for it in cursors."""

from collections.abc import Iterable
from typing import NamedTuple

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    KafkaError,
    LeaderNotAvailableError,
    NodeNotReadyError,
    UnknownTopicOrPartitionError,
    for_code,
)

from shared.cursor import epoch_of
from shared.metadata import ask_metadata


class Identity(NamedTuple):
    """What makes a log this log. `topic_id` is empty where brokers have none (before Kafka 2.8)."""

    cluster: str
    topic: str
    topic_id: bytes
    partitions: int

    def epoch(self, generation: int) -> bytes:
        """The epoch of cursors into this log; `generation` is the operator's own number."""
        return epoch_of(*self, generation)


async def read_identities(client: AIOKafkaClient, topics: Iterable[str]) -> dict[str, Identity]:
    """Ask any broker; a topic that doesn't exist is left out.

    Raises KafkaError when no broker answers, or when a topic is in between (no leader yet).
    """
    node = client.get_random_node()
    if node is None:
        raise NodeNotReadyError("no broker is known")
    response = await ask_metadata(client, node, topics)
    found = {}
    for code, name, topic_id, _, partitions, _, _ in response.topics:
        error = for_code(code)
        if error is UnknownTopicOrPartitionError:
            continue
        if code and error is not LeaderNotAvailableError:
            raise error(name)
        if not partitions:
            raise KafkaError(f"{name} has no partitions yet")
        found[name] = Identity(response.cluster_id or "", name, topic_id.strip(b"\0"), len(partitions))
    return found
