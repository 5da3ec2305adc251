"""One Kafka node as a child process: broker and controller in one JVM."""

import asyncio
import atexit
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from tests.support.broker_jars import KAFKA_FOLDER, KafkaJars
from tests.support.broker_port import ReservedPort
from tests.support.deadline import DeadlineMissed, until
from tests.support.readiness import until_ready

CLUSTER_ID = "d2F0Y2hyb3V0ZS10ZXN0cw"
"""Any 16 bytes in base64: all nodes of one cluster must be formatted with the same."""
_LOG_TAIL_LINES = 30
_STOPS_WITHIN_S = 30

_undiscarded: set["KafkaNode"] = set()


class BrokerFailed(Exception):
    """A Kafka process ended or did not do as told; the message has the end of its log."""


@dataclass(eq=False)
class KafkaNode:
    """A node of a KRaft cluster, whose data and ports outlive its process.

    It must be started in the main thread: on Linux it dies with the thread that started it.
    """

    jars: KafkaJars
    node_id: int = 1
    broker_port: ReservedPort = field(default_factory=ReservedPort)
    controller_port: ReservedPort = field(default_factory=ReservedPort)
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="watchroute-kafka-")))
    _process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        _undiscarded.add(self)

    @property
    def voter(self) -> str:
        """How the other nodes' `controller.quorum.voters` names this one."""
        return f"{self.node_id}@{self.controller_port.address}"

    @property
    def running(self) -> bool:
        """Whether the process is there (also when paused)."""
        return self._process is not None and self._process.poll() is None

    @property
    def log_file(self) -> Path:
        """What the node printed, over all its starts."""
        return self.folder / "kafka.log"

    async def format(self, voters: str, overrides: Mapping[str, str]) -> None:
        """Write server.properties and make the data folder; once, before the first start."""
        own = {
            "node.id": str(self.node_id),
            "listeners": f"PLAINTEXT://{self.broker_port.address},CONTROLLER://{self.controller_port.address}",
            "controller.quorum.voters": voters,
            "log.dirs": str(self.folder / "data"),
            **overrides,
        }
        settings = (KAFKA_FOLDER / "server.properties").read_text()
        self._properties.write_text(settings + "".join(f"{name}={value}\n" for name, value in own.items()))
        command = self.jars.command("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(self._properties))
        await asyncio.to_thread(self._run, command)

    async def start(self) -> None:
        """Start the process and return when it is ready."""
        if self.running:
            raise BrokerFailed(f"node {self.node_id} runs already")
        self._process = self._spawn()
        await until_ready(self.broker_port.address, node_id=self.node_id, still_alive=self._check_alive)

    async def stop(self) -> None:
        """SIGTERM, and wait for the end: the data is flushed and stays."""
        self.resume()
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """SIGKILL, and wait for the end: what the broker had not yet given to the system is lost."""
        await self._end(signal.SIGKILL)

    def pause(self) -> None:
        """SIGSTOP: connections stay open and nothing answers."""
        stopped = self._signal(signal.SIGSTOP)
        # On a busy machine its threads go on for a while after the signal was sent.
        os.waitid(os.P_PID, stopped, os.WSTOPPED)

    def resume(self) -> None:
        """SIGCONT; nothing happens when it was not paused."""
        self._signal(signal.SIGCONT)

    async def discard(self) -> None:
        """Kill the process if it runs, and remove its data."""
        if self.running:
            await self.kill()
        self.discard_now()

    def discard_now(self) -> None:
        """`discard` for where nothing can be awaited."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self.broker_port.release()
        self.controller_port.release()
        shutil.rmtree(self.folder)
        _undiscarded.discard(self)

    @property
    def _properties(self) -> Path:
        return self.folder / "server.properties"

    def _run(self, command: list[str]) -> None:
        with self._open_log() as log:
            done = subprocess.run(command, stdout=log, stderr=log, check=False)
        if done.returncode != 0:
            raise BrokerFailed(f"formatting node {self.node_id} failed:\n{self._log_tail()}")

    def _spawn(self) -> subprocess.Popen[bytes]:
        command = self.jars.command("kafka.Kafka", str(self._properties))
        with self._open_log() as log:
            # A session of its own, so that Ctrl-C ends the tests first, which still need the broker to clean up.
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=self.folder
            )

    def _open_log(self) -> IO[bytes]:
        return self.log_file.open("ab")

    def _signal(self, number: signal.Signals) -> int:
        if self._process is None or not self.running:
            raise BrokerFailed(f"node {self.node_id} does not run")
        os.kill(self._process.pid, number)
        return self._process.pid

    async def _end(self, number: signal.Signals) -> None:
        self._signal(number)
        try:
            await until(self._has_ended, f"node {self.node_id} ends", within_s=_STOPS_WITHIN_S, every_s=0.02)
        except DeadlineMissed as slow:
            raise BrokerFailed(f"{slow}:\n{self._log_tail()}") from slow

    async def _has_ended(self) -> bool:
        return not self.running

    def _check_alive(self) -> None:
        if not self.running:
            raise BrokerFailed(f"node {self.node_id} ended while it started:\n{self._log_tail()}")

    def _log_tail(self) -> str:
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-_LOG_TAIL_LINES:])


@atexit.register
def _discard_what_is_left() -> None:
    """For systems without PR_SET_PDEATHSIG, and for runs that end before their fixtures do."""
    for node in list(_undiscarded):
        node.discard_now()
