"""An in-memory Kafka for development and the demo: librdkafka's mock cluster, which listens on real TCP ports.

It is never for production: nothing outlives the process, about 5 MB are kept a partition, topics are made on first
use with 4 partitions, there are no admin calls, no transactions that mean anything and no look-up by time.
"""

from typing import Any, Final

from shared.errors import WatchrouteError

PARTITIONS: Final = 4
FETCH_WAIT_MS: Final = 10
"""An empty fetch sleeps its whole wait there, records or not; a long one would delay them."""
_BROKER_WAIT_S: Final = 10.0


class EmbeddedBrokerMissing(WatchrouteError):
    """The embedded broker needs the package confluent-kafka: install watchroute[demo]."""


class EmbeddedBroker:
    """A Kafka-protocol cluster of one broker inside this process."""

    def __init__(self) -> None:
        self._owner: Any = None
        self.bootstrap = ""

    def start(self) -> str:
        """Start listening on a free loopback port, and return `host:port`; raises EmbeddedBrokerMissing."""
        try:
            from confluent_kafka import Producer  # noqa: PLC0415 -- only who runs the embedded broker has it
        except ImportError:
            raise EmbeddedBrokerMissing(str(EmbeddedBrokerMissing.__doc__)) from None
        self._owner = Producer({"test.mock.num.brokers": 1, "log_level": 0})
        brokers = self._owner.list_topics(timeout=_BROKER_WAIT_S).brokers
        broker = next(iter(brokers.values()))
        self.bootstrap = f"{broker.host}:{broker.port}"
        return self.bootstrap

    def stop(self) -> None:
        """Let the cluster go; everything in it is lost."""
        self._owner = None
        self.bootstrap = ""
