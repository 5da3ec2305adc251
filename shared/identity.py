"""Which log a topic is: its identity, and the epoch that stands for it in cursors.

aiokafka reads Metadata up to version 5, which has no topic ids; version 10 tells a re-created topic from its
predecessor of the same name and size.
"""

from collections.abc import Iterable
from io import BytesIO
from typing import Any, NamedTuple

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    KafkaError,
    LeaderNotAvailableError,
    NodeNotReadyError,
    UnknownTopicOrPartitionError,
    for_code,
)
from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields

from shared.cursor import epoch_of


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
    response: Any = await client.send(node, _MetadataRequest(sorted(topics)))
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


class _Uuid(AbstractType[bytes]):
    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return value

    @classmethod
    def decode(cls, data: BytesIO) -> bytes:
        return data.read(16)


class _MetadataResponse(Response):
    API_KEY = 3
    API_VERSION = 10
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString("utf-8")),
                ("port", Int32),
                ("rack", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", CompactString("utf-8")),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("authorized_operations", Int32),
        ("tags", TaggedFields),
    )


class _MetadataRequestV10(RequestStruct):
    FLEXIBLE_VERSION = True
    API_KEY = 3
    API_VERSION = 10
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(("topic_id", _Uuid), ("name", CompactString("utf-8")), ("tags", TaggedFields)),
        ),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _MetadataRequest(Request[_MetadataRequestV10]):
    API_KEY = 3

    def __init__(self, topics: list[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[_MetadataRequestV10]) -> _MetadataRequestV10:
        return request_struct_class([(bytes(16), topic, {}) for topic in self._topics], False, False, False, {})  # noqa: FBT003 -- the wire's own order
