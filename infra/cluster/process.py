"""A child process that can be started again, killed and frozen."""

import contextlib
import os
import shutil
import signal
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from infra.cluster.deadline import DeadlineMissed, until

ROOT: Final = Path(__file__).parents[2]
HOST: Final = "127.0.0.1"
_LOG_TAIL_LINES: Final = 30
_READY_EVERY_S: Final = 0.03
_ENDED_EVERY_S: Final = 0.02


class ProcessFailed(Exception):
    """A process ended by itself, or did not do as told in time; the message holds the end of its log."""


class Process(ABC):
    """What it runs may be started, ended and started again; what it prints is appended to one file over all its starts.

    It must be started in the main thread: on Linux it dies with the thread that started it.
    A session of its own keeps Ctrl-C from it: whoever holds it decides how it ends.
    """

    def __init__(self, name: str, log: Path, *, folder: Path = ROOT) -> None:
        self.name = name
        self.log = log
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process that was started last; raises ProcessFailed when none was."""
        if self._process is None:
            raise ProcessFailed(f"{self.name} was never started")
        return self._process

    @property
    def running(self) -> bool:
        """Whether the process is there, frozen or not."""
        return self._process is not None and self._process.poll() is None

    @abstractmethod
    def command(self) -> Sequence[str]:
        """The command line."""

    def environment(self) -> Mapping[str, str]:
        """The variables that it gets."""
        return os.environ

    @abstractmethod
    async def ready(self) -> bool:
        """Whether it serves."""

    def launch(self) -> None:
        """Start it without waiting; raises ProcessFailed when it runs already."""
        if self.running:
            raise ProcessFailed(f"{self.name} runs already")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*_dies_with_us(), *self.command()],
                cwd=self._folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    async def wait_ready(self, within_s: float = 60) -> None:
        """Return when it serves; raises ProcessFailed when it ends instead, or takes too long."""

        async def ready() -> bool:
            if not self.running:
                status = self.process.returncode
                raise ProcessFailed(f"{self.name} ended with {status} while it started:\n{self.log_tail()}")
            return await self.ready()

        try:
            await until(ready, f"{self.name} is ready", within_s=within_s, every_s=_READY_EVERY_S)
        except DeadlineMissed as late:
            raise ProcessFailed(f"{late}\n{self.log_tail()}") from None

    async def start(self, within_s: float = 60) -> None:
        """`launch` and `wait_ready`."""
        self.launch()
        await self.wait_ready(within_s)

    def terminate(self) -> None:
        """SIGTERM, without waiting; a frozen one is thawed to hear it."""
        self.thaw()
        self._signal(signal.SIGTERM)

    async def stop(self, within_s: float = 30) -> int:
        """SIGTERM; the exit status. See `wait_exit`."""
        self.terminate()
        return await self.wait_exit(within_s)

    async def kill(self) -> None:
        """SIGKILL to it and to what it started, and wait for the end."""
        self._check_running()
        os.killpg(self.process.pid, signal.SIGKILL)
        await self.wait_exit(10)

    async def wait_exit(self, within_s: float = 30) -> int:
        """The exit status, once it has ended; after `within_s` it is killed and ProcessFailed raised."""

        async def ended() -> bool:
            return not self.running

        try:
            await until(ended, f"{self.name} has ended", within_s=within_s, every_s=_ENDED_EVERY_S)
        except DeadlineMissed as late:
            self.end_now()
            raise ProcessFailed(f"{late}\n{self.log_tail()}") from None
        return int(self.process.returncode)

    def freeze(self) -> None:
        """SIGSTOP: connections stay open, and nothing answers. Returns when every thread has stopped."""
        self._signal(signal.SIGSTOP)
        # On a busy machine its threads go on for a while after the signal was sent.
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)

    def thaw(self) -> None:
        """SIGCONT; nothing happens when it was not frozen."""
        self._signal(signal.SIGCONT)

    def end_now(self) -> None:
        """SIGKILL if it runs, in whatever state: for where nothing can be awaited."""
        if self.running:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    async def shut(self) -> None:
        """End it in any state, for good; does nothing when it has ended."""
        if self.running:
            await self.kill()

    def rss_bytes(self) -> int:
        """Its resident memory."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def log_tail(self) -> str:
        """The last lines that it wrote."""
        with contextlib.suppress(FileNotFoundError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-_LOG_TAIL_LINES:])
        return ""

    def _signal(self, number: signal.Signals) -> None:
        self._check_running()
        self.process.send_signal(number)

    def _check_running(self) -> None:
        if not self.running:
            raise ProcessFailed(f"{self.name} does not run:\n{self.log_tail()}")


def _dies_with_us() -> list[str]:
    """PR_SET_PDEATHSIG through the tool that every Linux has: even a run that is killed leaves nothing behind."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
