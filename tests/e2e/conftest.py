"""The demo, started as its reader starts it, with what it prints."""

import asyncio
import ctypes
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from typing import Final

import pytest_asyncio

from tests.support.fleet import HOST, ROOT, free_port

READY_WITHIN_S: Final = 30
_PR_SET_PDEATHSIG: Final = 1


class PrintedDemo:
    """`python -m cli demo` and what it has printed so far."""

    def __init__(self, process: Process, port: int) -> None:
        self.process = process
        self.url = f"http://{HOST}:{port}"
        self.printed = ""

    @property
    def commands(self) -> list[str]:
        """The `curl` lines that it offers."""
        return re.findall(r"^\s*(curl .*?)\s*$", self.printed, re.MULTILINE)

    async def read_until(self, words: str) -> None:
        """Read on until it has printed these words."""
        assert self.process.stdout is not None
        async with asyncio.timeout(READY_WITHIN_S):
            while words not in self.printed:
                piece = await self.process.stdout.read(4096)
                assert piece, f"the demo ended:\n{self.printed}"
                self.printed += piece.decode()

    async def interrupt(self) -> int:
        """Ctrl-C; the exit status."""
        self.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(15):
            rest, _ = await self.process.communicate()
        self.printed += rest.decode()
        assert self.process.returncode is not None
        return self.process.returncode


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@pytest_asyncio.fixture(loop_scope="session")
async def demo() -> AsyncIterator[PrintedDemo]:
    """The demo on a port of its own, once it has said what to try."""
    port = free_port()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("WATCHROUTE_")}
    command = (sys.executable, "-m", "cli", "demo", "--port", str(port))
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=inherited, stdout=PIPE, stderr=STDOUT, preexec_fn=_die_with_parent
    )
    running = PrintedDemo(process, port)
    try:
        await running.read_until("Ctrl-C stops it.")
        yield running
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
