"""Apache Kafka in a container, where a Docker engine answers."""

import asyncio

from docker.errors import DockerException  # type: ignore[import-untyped,unused-ignore]
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient

from infra.cluster.kafka_jars import KAFKA_FOLDER, kafka_version
from infra.cluster.port import ReservedPort
from infra.cluster.readiness import until_ready
from tests.support.broker import Broker


class KafkaContainer(DockerContainer):
    """The apache/kafka image, set by infra/kafka/server.properties through its `KAFKA_*` variables."""

    def __init__(self, advertised: str, host_port: int) -> None:
        super().__init__(f"apache/kafka:{kafka_version()}")
        self.with_bind_ports(9092, host_port)
        own = {
            "node.id": "1",
            "listeners": "PLAINTEXT://:9092,CONTROLLER://:9093",
            "advertised.listeners": f"PLAINTEXT://{advertised}",
            "controller.quorum.voters": "1@localhost:9093",
        }
        for name, value in (_settings() | own).items():
            self.with_env(f"KAFKA_{name.upper().replace('.', '_')}", value)


class DockerBroker(Broker):
    """One container for the test run."""

    kind = "docker"

    def __init__(self) -> None:
        port = ReservedPort()
        # Docker's proxy wants the port for itself; nothing else asks for one in between.
        port.release()
        self.bootstrap = f"{DockerClient().host()}:{port.number}"
        self._container = KafkaContainer(self.bootstrap, port.number)

    async def start(self) -> None:
        await asyncio.to_thread(self._container.start)
        await until_ready(self.bootstrap)

    async def close(self) -> None:
        await asyncio.to_thread(self._container.stop)

    def describe(self) -> str:
        return f"docker, apache/kafka:{kafka_version()}"


def docker_answers() -> bool:
    """Whether a Docker engine is there and answers now."""
    try:
        engine = DockerClient().client
    except DockerException:
        return False
    try:
        return bool(engine.ping())
    except (DockerException, OSError):
        return False
    finally:
        engine.close()


def _settings() -> dict[str, str]:
    lines = (KAFKA_FOLDER / "server.properties").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
