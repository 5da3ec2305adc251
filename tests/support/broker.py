"""The Kafka that a test run talks to, whichever of the four kinds it is."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from infra.cluster.kafka_jars import KafkaJars, kafka_version
from infra.cluster.kafka_node import KafkaNode
from infra.cluster.process import ProcessFailed
from infra.cluster.readiness import until_ready

Kind = Literal["external", "docker", "maven", "embedded"]


class Broker(ABC):
    """A Kafka; `bootstrap` (`host:port`, several separated by commas) is good between `start` and `close`."""

    kind: ClassVar[Kind]
    real: ClassVar[bool] = True
    """False for the embedded one: no restarts, compaction, transactions, retention or chosen partition counts."""
    bootstrap: str = ""

    @abstractmethod
    async def start(self) -> None:
        """Bring it up, and return when it answers."""

    @abstractmethod
    async def close(self) -> None:
        """Let it go for good, with its data (an external one is left as it is)."""

    @abstractmethod
    def describe(self) -> str:
        """One line for the reader of a test report."""

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class ExternalBroker(Broker):
    """A Kafka that someone else runs: WATCHROUTE_TEST_KAFKA names it."""

    kind = "external"

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap

    async def start(self) -> None:
        await until_ready(self.bootstrap.split(",")[0])

    async def close(self) -> None:
        pass

    def describe(self) -> str:
        return f"external, {self.bootstrap} (WATCHROUTE_TEST_KAFKA)"


class MavenBroker(Broker):
    """Apache Kafka in a JVM of our own: the one kind whose process a test can stop, kill and pause.

    `start` after `stop` or `kill` finds the same data under the same address.
    `settings` override infra/kafka/server.properties.
    """

    kind = "maven"

    def __init__(self, jars: KafkaJars, settings: Mapping[str, str] | None = None) -> None:
        self._jars = jars
        self._settings = settings or {}
        self._made: KafkaNode | None = None

    async def start(self) -> None:
        if self._made is None:
            self._made = KafkaNode(self._jars)
            self.bootstrap = self._made.broker_port.address
            await self._made.format(self._made.voter, self._settings)
        await self._made.start()

    async def stop(self) -> None:
        """SIGTERM: a clean end. The data stays."""
        await self._node.stop()

    async def kill(self) -> None:
        """SIGKILL. What was acknowledged stays, as the system's page cache outlives the process."""
        await self._node.kill()

    async def restart(self) -> None:
        """`stop` and `start`."""
        await self.stop()
        await self.start()

    def pause(self) -> None:
        """SIGSTOP: connections stay open and nothing answers, until `resume`."""
        self._node.freeze()

    def resume(self) -> None:
        """SIGCONT."""
        self._node.thaw()

    async def close(self) -> None:
        if self._made is not None:
            await self._made.discard()
            self._made = None

    @property
    def _node(self) -> KafkaNode:
        if self._made is None:
            raise ProcessFailed("it was never started")
        return self._made

    def describe(self) -> str:
        return f"maven, Apache Kafka {kafka_version()} in a JVM of the test run"


class InMemoryBroker(Broker):
    """The product's embedded broker: not a real Kafka."""

    kind = "embedded"
    real = False

    def __init__(self) -> None:
        from shared.embedded import EmbeddedBroker  # noqa: PLC0415 -- loads librdkafka, which the others do without

        self._embedded = EmbeddedBroker()

    async def start(self) -> None:
        self.bootstrap = self._embedded.start()

    async def close(self) -> None:
        self._embedded.stop()

    def describe(self) -> str:
        return "embedded, librdkafka's mock cluster (NOT a real Kafka: some tests are skipped)"
