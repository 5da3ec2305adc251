"""Every fault, in the order in which `make chaos` plays them, and the quick ones of `make test`."""

from typing import Final

from tests.chaos.faults.brokers import BrokerFrozen, BrokerKilled, BrokersAway, LeaderMoved
from tests.chaos.faults.client_network import ClientsCut
from tests.chaos.faults.clock import ClockOff
from tests.chaos.faults.disk import DiskFull
from tests.chaos.faults.door import DoorKilled, DoorReloaded
from tests.chaos.faults.fault import Fault
from tests.chaos.faults.kafka_network import KafkaCut, KafkaHalfOpen, KafkaSlow, KafkaThrottled
from tests.chaos.faults.producers import ProducerKilled
from tests.chaos.faults.servers import RollingRestart, ServerFrozen, ServerKilled
from tests.chaos.faults.topics import PartitionAdded, TopicRecreated

FAULTS: Final[tuple[type[Fault], ...]] = (
    ServerKilled,
    ServerFrozen,
    RollingRestart,
    DoorReloaded,
    DoorKilled,
    BrokerKilled,
    LeaderMoved,
    BrokersAway,
    BrokerFrozen,
    KafkaSlow,
    KafkaCut,
    KafkaHalfOpen,
    KafkaThrottled,
    ClientsCut,
    ProducerKilled,
    DiskFull,
    ClockOff,
    TopicRecreated,
    PartitionAdded,
)

QUICK: Final[tuple[type[Fault], ...]] = (ServerKilled, RollingRestart, DoorKilled, BrokerKilled)
