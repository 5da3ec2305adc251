"""One Kafka node as a child process: broker and controller in one JVM."""

import asyncio
import atexit
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from infra.cluster.kafka_jars import KAFKA_FOLDER, KafkaJars
from infra.cluster.port import ReservedPort
from infra.cluster.process import Process, ProcessFailed
from infra.cluster.readiness import is_ready

CLUSTER_ID: Final = "d2F0Y2hyb3V0ZS10ZXN0cw"
"""Any 16 bytes in base64: all nodes of one cluster must be formatted with the same."""

_undiscarded: set["KafkaNode"] = set()


class KafkaNode(Process):
    """A node of a KRaft cluster, whose data and ports outlive its process.

    `settings` are its own further server.properties, read by `format`.
    Without a `folder` its data is in a new one, which `discard` and the end of the program remove.
    """

    def __init__(
        self,
        jars: KafkaJars,
        node_id: int = 1,
        *,
        folder: Path | None = None,
        log: Path | None = None,
        ports: tuple[int, int] = (0, 0),
    ) -> None:
        self.node_id = node_id
        self.broker_port, self.controller_port = (ReservedPort(number) for number in ports)
        self.folder = folder or Path(tempfile.mkdtemp(prefix="watchroute-kafka-"))
        super().__init__(f"kafka-{node_id}", log or self.folder / "kafka.log", folder=self.folder)
        self.settings: dict[str, str] = {}
        self._jars = jars
        if folder is None:
            _undiscarded.add(self)

    @property
    def voter(self) -> str:
        """How the other nodes' `controller.quorum.voters` names this one."""
        return f"{self.node_id}@{self.controller_port.address}"

    async def format(self, voters: str, overrides: Mapping[str, str]) -> None:
        """Write server.properties, and make the data folder where there is none yet; before the first start."""
        own = {
            "node.id": str(self.node_id),
            "listeners": f"PLAINTEXT://{self.broker_port.address},CONTROLLER://{self.controller_port.address}",
            "controller.quorum.voters": voters,
            "log.dirs": str(self._data),
            **overrides,
            **self.settings,
        }
        settings = (KAFKA_FOLDER / "server.properties").read_text()
        self._properties.write_text(settings + "".join(f"{name}={value}\n" for name, value in own.items()))
        if not (self._data / "meta.properties").exists():
            arguments = ("format", "-t", CLUSTER_ID, "-c", str(self._properties))
            await asyncio.to_thread(self._run, self._jars.command("kafka.tools.StorageTool", *arguments))

    def command(self) -> Sequence[str]:
        """The JVM."""
        return self._jars.command("kafka.Kafka", str(self._properties))

    async def ready(self) -> bool:
        """Whether it answers, and says that it is in its cluster."""
        return await is_ready(self.broker_port.address, self.node_id)

    async def discard(self) -> None:
        """Kill the process if it runs, and remove its data."""
        await self.shut()
        self.discard_now()

    def discard_now(self) -> None:
        """`discard` for where nothing can be awaited."""
        self.end_now()
        self.broker_port.release()
        self.controller_port.release()
        shutil.rmtree(self.folder)
        _undiscarded.discard(self)

    @property
    def _properties(self) -> Path:
        return self.folder / "server.properties"

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _run(self, command: Sequence[str]) -> None:
        with self.log.open("ab") as log:
            done = subprocess.run(command, stdout=log, stderr=log, check=False)
        if done.returncode != 0:
            raise ProcessFailed(f"formatting {self.name} failed:\n{self.log_tail()}")


@atexit.register
def _discard_what_is_left() -> None:
    """For systems without PR_SET_PDEATHSIG, and for runs that end before their fixtures do."""
    for node in list(_undiscarded):
        node.discard_now()
