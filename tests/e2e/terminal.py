"""`watchroute` in a terminal: what a person sees, colours and all."""

import asyncio
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

from infra.cluster.deadline import DeadlineMissed, until
from infra.cluster.process import ROOT

COLOUR: Final = re.compile(r"\x1b\[[0-9;]*3[0-9](;[0-9]+)*m")
_ANY: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_SIZE: Final = struct.pack("HHHH", 40, 120, 0, 0)


class Terminal:
    """`python -m cli ARGUMENTS` with a terminal as its standard output and error; an async context manager."""

    def __init__(self, *arguments: str, environment: Mapping[str, str] | None = None, folder: Path = ROOT) -> None:
        self._arguments = arguments
        self._folder = folder
        self._environment = {"TERM": "xterm-256color", "PYTHONPATH": str(ROOT), **(environment or {})}
        self._said = bytearray()

    @property
    def raw(self) -> str:
        """All that it has written."""
        return self._said.decode(errors="replace")

    @property
    def text(self) -> str:
        """The same without what steers the terminal."""
        return _ANY.sub("", self.raw)

    async def __aenter__(self) -> Self:
        self._start()
        asyncio.get_running_loop().add_reader(self._here, self._read)
        return self

    def _start(self) -> None:
        self._here, there = pty.openpty()
        fcntl.ioctl(there, termios.TIOCSWINSZ, _SIZE)
        # A worker of the tests has no terminal, and names a size all the same.
        ours = {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES"}
        inherited = {name: value for name, value in os.environ.items() if name not in ours}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "cli", *self._arguments],
            cwd=self._folder,
            env=inherited | self._environment,
            stdin=subprocess.DEVNULL,
            stdout=there,
            stderr=there,
        )
        os.close(there)

    async def __aexit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        asyncio.get_running_loop().remove_reader(self._here)
        os.close(self._here)

    async def said(self, pattern: str) -> None:
        """Return when the text has it."""

        async def found() -> bool:
            return re.search(pattern, self.text) is not None

        try:
            await until(found, f"{self._arguments} says {pattern!r}", within_s=20)
        except DeadlineMissed as missed:
            raise AssertionError(f"{missed}; it said {self.text[-500:]!r}") from None

    async def ended(self, number: signal.Signals | None = None) -> int:
        """Send it a signal, if any, and return its exit status."""
        if number is not None:
            self._process.send_signal(number)

        async def over() -> bool:
            return self._process.poll() is not None

        await until(over, f"{self._arguments} has ended", within_s=15)
        return int(self._process.returncode)

    def _read(self) -> None:
        try:
            self._said += os.read(self._here, 65536)
        except OSError:
            # The other side is gone.
            asyncio.get_running_loop().remove_reader(self._here)
