"""Where the logs of a topic begin and end, as only their present leaders can say.

A broker that was frozen and wakes up believes for a moment that it still leads what others lead by now. It names itself
when it is asked who leads, and its logs end where they did when it fell asleep. So each broker is asked who leads, who
was named last (by the largest leader epoch) is the leader, and it is asked as the leader of that epoch: whoever is not,
or not any more, refuses.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Int8, Int16, Int32, Int64, Schema, String

from shared.metadata import ask_metadata

WITHIN_S: Final = 3.0
_FIRST: Final = -2
_END: Final = -1
_NO_LEADER: Final = -1


class Bounds(NamedTuple):
    """The offset of the first record that is kept, and the one that the next record will have."""

    first: int
    end: int


async def read_bounds(client: AIOKafkaClient, topic: str, *, committed: bool) -> Mapping[int, Bounds]:
    """By partition; `committed`: an open transaction is beyond the end.

    Raises KafkaError, OSError or TimeoutError unless every broker that another one knows has said who leads, and every
    leader where its log is, within WITHIN_S.
    """
    async with asyncio.timeout(WITHIN_S):
        leaders = _newest(await _ask_all(client, topic), topic)
        nodes = {leader.node for leader in leaders.values()}
        asked = [
            _ask_one(
                client, node, topic, {p: at.epoch for p, at in leaders.items() if at.node == node}, committed=committed
            )
            for node in nodes
        ]
        return {partition: bounds for found in await asyncio.gather(*asked) for partition, bounds in found.items()}


class _Leader(NamedTuple):
    epoch: int
    node: int


async def _ask_all(client: AIOKafkaClient, topic: str) -> list[Any]:
    """What each broker says: one that is silent may be the one that leads by now."""
    nodes = [broker.nodeId for broker in client.cluster.brokers()]
    answers = await asyncio.gather(*(ask_metadata(client, node, [topic]) for node in nodes), return_exceptions=True)
    answered = {
        node: answer for node, answer in zip(nodes, answers, strict=True) if not isinstance(answer, BaseException)
    }
    silent = {node_id for answer in answered.values() for node_id, *_ in answer.brokers} - set(answered)
    if silent or not answered:
        raise KafkaError(f"the brokers {sorted(silent)} don't say who leads {topic}")
    return list(answered.values())


def _newest(answers: Iterable[Any], topic: str) -> dict[int, _Leader]:
    leaders: dict[int, _Leader] = {}
    for answer in answers:
        for code, name, _, _, partitions, _, _ in answer.topics:
            if not partitions:
                raise for_code(code)(name)
            for _, partition, node, epoch, *_ in partitions:
                leaders[partition] = max(leaders.get(partition, _Leader(epoch, node)), _Leader(epoch, node))
    without = [partition for partition, leader in leaders.items() if leader.node == _NO_LEADER]
    if without:
        raise KafkaError(f"the partitions {without} of {topic} have no leader")
    return leaders


async def _ask_one(
    client: AIOKafkaClient, node: int, topic: str, epochs: Mapping[int, int], *, committed: bool
) -> dict[int, Bounds]:
    firsts, ends = await asyncio.gather(
        *(_offsets(client, node, _OffsetsRequest(topic, epochs, at, committed=committed)) for at in (_FIRST, _END))
    )
    return {partition: Bounds(firsts[partition], ends[partition]) for partition in epochs}


async def _offsets(client: AIOKafkaClient, node: int, request: "_OffsetsRequest") -> dict[int, int]:
    answer: Any = await client.send(node, request)
    offsets = {}
    for topic, partitions in answer.topics:
        for partition, code, _, offset, _ in partitions:
            if code:
                raise for_code(code)(f"{topic}/{partition} at broker {node}")
            offsets[partition] = offset
    return offsets


class _OffsetsResponse(Response):
    API_KEY = 2
    API_VERSION = 5
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "topics",
            Array(
                ("topic", String("utf-8")),
                (
                    "partitions",
                    Array(
                        ("partition", Int32),
                        ("error_code", Int16),
                        ("timestamp", Int64),
                        ("offset", Int64),
                        ("leader_epoch", Int32),
                    ),
                ),
            ),
        ),
    )


class _OffsetsRequestV5(RequestStruct):
    API_KEY = 2
    API_VERSION = 5
    RESPONSE_TYPE = _OffsetsResponse
    SCHEMA = Schema(
        ("replica_id", Int32),
        ("isolation_level", Int8),
        (
            "topics",
            Array(
                ("topic", String("utf-8")),
                (
                    "partitions",
                    Array(("partition", Int32), ("current_leader_epoch", Int32), ("timestamp", Int64)),
                ),
            ),
        ),
    )


class _OffsetsRequest(Request[_OffsetsRequestV5]):
    """ListOffsets, version 5, the first that a new leader may refuse until it knows how far its log is acknowledged.

    aiokafka asks in version 3, which has no leader epochs.
    """

    API_KEY = 2

    def __init__(self, topic: str, epochs: Mapping[int, int], at: int, *, committed: bool) -> None:
        self._topic, self._epochs, self._at, self._committed = topic, epochs, at, committed

    def build(self, request_struct_class: type[_OffsetsRequestV5]) -> _OffsetsRequestV5:
        partitions = [(partition, epoch, self._at) for partition, epoch in self._epochs.items()]
        return request_struct_class(-1, int(self._committed), [(self._topic, partitions)])
