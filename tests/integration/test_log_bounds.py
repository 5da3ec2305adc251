"""Where a log ends is said by who leads it now, not by a broker that was asleep and believes that it still does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import pytest
from aiokafka.errors import KafkaError, NodeNotReadyError

from shared.log_bounds import Bounds, read_bounds

TOPIC: Final = "items"
_METADATA: Final = 3
_VERSIONS: Final = {2: (0, 10), _METADATA: (0, 12)}
_FENCED, _UNKNOWN_EPOCH = 74, 76
_FIRST: Final = -2


class Known(NamedTuple):
    """What an aiokafka client knows of a broker, as far as we look at it."""

    nodeId: int  # noqa: N815 -- aiokafka's name


@dataclass
class Node:
    """A broker by what it believes: who leads in which epoch, which brokers there are, and where its own log ends."""

    leader: int
    epoch: int
    end: int
    knows: Sequence[int] = (1, 2, 3)
    silent: bool = False

    def answer(self, request: Any) -> Any:
        """What it says to Metadata or ListOffsets."""
        if request.API_KEY == _METADATA:
            brokers: list[Any] = [(number, "host", 9092, None, {}) for number in self.knows]
            partition: Any = (0, 0, self.leader, self.epoch, [1, 2, 3], [1, 2, 3], [], {})
            return request.RESPONSE_TYPE(
                0, brokers, "cluster", 1, [(0, TOPIC, bytes(16), False, [partition], 0, {})], 0, {}
            )
        ((topic, ((partition, epoch, at),)),) = request.topics
        code = _FENCED if epoch < self.epoch else _UNKNOWN_EPOCH if epoch > self.epoch else 0
        offset = 3 if at == _FIRST else self.end
        return request.RESPONSE_TYPE(0, [(topic, [(partition, code, -1, offset, self.epoch)])])


@dataclass
class Brokers:
    """What an aiokafka client is to its caller: it knows brokers, and brings a request to one of them."""

    nodes: Mapping[int, Node]
    known: Sequence[int] = (1, 2, 3)
    cluster: Any = field(init=False)

    def __post_init__(self) -> None:
        self.cluster = self

    def brokers(self) -> set[Known]:
        """Those that there are, for all that it knows."""
        return {Known(number) for number in self.known}

    async def send(self, number: int, request: Any) -> Any:
        """The answer of one of them."""
        if number not in self.nodes or self.nodes[number].silent:
            raise NodeNotReadyError(number)
        return self.nodes[number].answer(request.prepare(_VERSIONS))

    async def bounds(self) -> Mapping[int, Bounds]:
        """Where the log is, by all of them."""
        client: Any = self
        return await read_bounds(client, TOPIC, committed=True)


def awake(**changed: Any) -> Node:
    """A broker that knows of the newest leader."""
    return Node(**({"leader": 2, "epoch": 5, "end": 20} | changed))


def just_woken() -> Node:
    """The leader before that one, as long as it believes that it still is."""
    return Node(leader=1, epoch=4, end=10)


async def test_all_who_are_asked_name_the_leader_and_it_says_where_the_log_is() -> None:
    assert await Brokers({1: awake(end=10), 2: awake(), 3: awake(end=15)}).bounds() == {0: Bounds(3, 20)}


async def test_a_broker_that_wakes_up_as_the_leader_that_it_was_is_not_believed() -> None:
    assert await Brokers({1: just_woken(), 2: awake(), 3: awake()}).bounds() == {0: Bounds(3, 20)}


async def test_the_new_leader_alone_knows_better() -> None:
    assert await Brokers({1: just_woken(), 2: awake(), 3: just_woken()}).bounds() == {0: Bounds(3, 20)}


@pytest.mark.parametrize("known", [(1, 2, 3), (1, 3)], ids=["silent", "not known yet"])
async def test_who_has_not_been_heard_may_be_the_leader(known: Sequence[int]) -> None:
    brokers = Brokers({1: just_woken(), 2: awake(silent=True), 3: just_woken()}, known)
    with pytest.raises(KafkaError, match=r"the brokers \[2\] don't say who leads"):
        await brokers.bounds()


async def test_a_broker_that_nobody_knows_any_more_may_be_silent() -> None:
    left = (2, 3)
    brokers = Brokers({1: awake(silent=True), 2: awake(knows=left), 3: awake(knows=left)})
    assert await brokers.bounds() == {0: Bounds(3, 20)}


@pytest.mark.parametrize("believes", [4, 6], ids=["not yet", "not any more"])
async def test_who_is_named_and_is_not_the_leader_of_that_epoch_refuses(believes: int) -> None:
    class Named(Node):
        def answer(self, request: Any) -> Any:
            self.epoch = 5 if request.API_KEY == _METADATA else believes
            return super().answer(request)

    with pytest.raises(KafkaError, match="items/0 at broker 2"):
        await Brokers({1: awake(), 2: Named(2, 5, 20), 3: awake()}).bounds()


async def test_a_partition_without_a_leader_has_nobody_to_say_where_it_ends() -> None:
    with pytest.raises(KafkaError, match="have no leader"):
        await Brokers({1: just_woken(), 2: awake(leader=-1, epoch=6), 3: awake()}).bounds()
