"""The floor: the same bytes to the same number of sockets, by a loop of `send()` in a process on the server's core."""

import asyncio
import json
import secrets
import shutil
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from infra.cluster.process import ROOT
from load.bench.cores import SERVER_CORE, pin
from load.bench.specimen import MARK
from load.bench.verdict import Broken, check_counts
from load.bench.watchers import Watchers

_SOURCE: Final = Path(__file__).with_name("floor.c")
_LOOP: Final = "load.bench.floor_loop"
_STAMP: Final = b'"sent":'


class Sends(NamedTuple):
    """What one `send()` costs, how many a second reached their readers, and how late: `p99_ms` after its round began.

    `per_s` counts until the last reader has the last byte.
    """

    cpu_us: float
    per_s: float
    p99_ms: float


class Handshakes(NamedTuple):
    """What one `accept()`, `recv()` and `send()` costs, and how many a second there were."""

    cpu_us: float
    per_s: float


class Floor:
    """The program that runs the loop; `language` is `C`, or `Python` where there is no compiler."""

    def __init__(self, command: list[str], language: str, folder: Path) -> None:
        self.language = language
        self._command = command
        self._folder = folder

    @classmethod
    async def make(cls, folder: Path) -> "Floor":
        """Compile it, if that can be done; raises Broken when the compiler refuses it."""
        compiler = shutil.which("cc")
        if compiler is None:
            return cls([sys.executable, "-m", _LOOP], "Python", folder)
        program = str(folder / "floor")
        compiling = await asyncio.create_subprocess_exec(compiler, "-O2", "-o", program, str(_SOURCE))
        if await compiling.wait():
            raise Broken(f"{compiler} can't compile {_SOURCE.name}")
        return cls([program], "C", folder)

    async def sends(
        self,
        watchers: Watchers,
        frame: bytes,
        connections: int,
        *,
        rounds: int,
        per_s: float = 0,
        sample_every: int = 0,
    ) -> Sends:
        """Send a data frame to every connection `rounds` times, `per_s` rounds a second (0: as fast as it can)."""
        stamp, mark = frame.index(_STAMP) + len(_STAMP), frame.index(MARK)
        arguments = [str(number) for number in (connections, rounds, per_s, stamp, mark)]
        async with self._running("send", frame, arguments) as (process, port):
            group = await watchers.open(port, "raw", "", connections, sample_every=sample_every)
            await group.begin()
            # It begins once it is told to.
            _stdin(process).write(b"\n")
            status = await group.wait(connections)
            check_counts(status, deliveries=rounds * connections, elided=0, connections=connections, ends=connections)
            figures = await _figures(process)
            findings = await group.judge()
            await group.close()
        count = rounds * connections
        seconds = (status["last_ns"] - figures["began_ns"]) / 1e9
        return Sends(figures["cpu_ns"] / 1e3 / count, count / seconds, findings.get("p99_ms", 0.0))

    async def handshakes(
        self, watchers: Watchers, kind: str, answer: bytes, connections: int, window: int
    ) -> Handshakes:
        """Answer connections with bytes that make a reader of that kind believe that it is synced."""
        async with self._running("accept", answer, [str(connections)]) as (process, port):
            group = await watchers.open(port, kind, "/", connections, window=window)
            figures = await _figures(process)
            await group.close()
        seconds = (group.opened["synced_ns"] - group.opened["began_ns"]) / 1e9
        return Handshakes(figures["cpu_ns"] / 1e3 / connections, connections / seconds)

    @asynccontextmanager
    async def _running(
        self, mode: str, frame: bytes, arguments: list[str]
    ) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
        """The process, and the port at which it waits for connections."""
        path = self._folder / f"frame-{secrets.token_hex(4)}"
        path.write_bytes(frame)
        process = await asyncio.create_subprocess_exec(
            *self._command, mode, str(path), *arguments,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=ROOT,
        )  # fmt: skip
        pin(process.pid, SERVER_CORE)
        try:
            yield process, int(await _line(process))
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


def _stdin(process: asyncio.subprocess.Process) -> asyncio.StreamWriter:
    if process.stdin is None:
        raise Broken("the floor has no standard input")
    return process.stdin


async def _line(process: asyncio.subprocess.Process) -> bytes:
    line = b"" if process.stdout is None else await process.stdout.readline()
    if not line:
        raise Broken("the floor has ended")
    return line


async def _figures(process: asyncio.subprocess.Process) -> Mapping[str, Any]:
    figures: Mapping[str, Any] = json.loads(await _line(process))
    return figures
