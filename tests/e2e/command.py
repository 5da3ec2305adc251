"""`watchroute` as it is typed: a process, what it writes, and how it ends."""

import ctypes
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

from infra.cluster.deadline import until
from infra.cluster.process import ROOT

_PR_SET_PDEATHSIG: Final = 1


class Command:
    """`python -m cli ARGUMENTS`, or of another module; an async context manager. It dies with the test run."""

    def __init__(
        self, folder: Path, *arguments: str, environment: Mapping[str, str] | None = None, module: str = "cli"
    ) -> None:
        self._module = module
        self._arguments = arguments
        self._environment = environment or {}
        self._out, self._err = (
            folder / f"{'-'.join(arguments)[:40].replace('/', '_')}.{end}" for end in ("out", "err")
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def out(self) -> str:
        """What it wrote to stdout so far."""
        return self._out.read_text()

    @property
    def err(self) -> str:
        """What it wrote to stderr so far."""
        return self._err.read_text()

    @property
    def pid(self) -> int:
        """The process that was started last."""
        assert self._process is not None
        return self._process.pid

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Launch it; what an earlier start wrote is gone."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("WATCHROUTE_")}
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self._module, *self._arguments],
                cwd=ROOT,
                env=inherited | dict(self._environment),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 -- one system call, before any thread of the child
            )

    def kill(self) -> None:
        """SIGKILL, if it still runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    async def stop(self, number: signal.Signals = signal.SIGINT, *, within_s: float = 10) -> float:
        """Send it a signal, wait until it has ended with status 0, and return how long that took, in seconds."""
        began = time.monotonic()
        self.send(number)
        status = await self.ended(within_s=within_s)
        assert status == 0, (status, self.err)
        return time.monotonic() - began

    async def ended(self, *, within_s: float = 10) -> int:
        """The exit status, once there is one."""

        async def ended() -> bool:
            return self._process is not None and self._process.poll() is not None

        await until(ended, f"{self._arguments} has ended", within_s=within_s, every_s=0.02)
        assert self._process is not None
        return int(self._process.returncode)

    async def said(self, pattern: str, *, times: int = 1, within_s: float = 20) -> list[str]:
        """Every match in stdout and stderr, once there are so many; fails when it ends before."""

        async def found() -> list[str]:
            matches = re.findall(pattern, self.out + self.err, flags=re.MULTILINE)
            if len(matches) < times and self._process is not None and self._process.poll() is not None:
                raise AssertionError(f"{self._arguments} ended: {self.out[-2000:]}{self.err[-2000:]}")
            return matches if len(matches) >= times else []

        return await until(found, f"{self._arguments} says {pattern!r}, {times} times", within_s=within_s)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
