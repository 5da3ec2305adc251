"""An attack under way: the driver's side of the attacker's process."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from infra.cluster.process import ROOT
from load.bench.cores import READERS_CORE, pin
from load.bench.verdict import Broken
from load.floods.attacks import PLANS

_NICE: Final = 10


class Raid:
    """What came of it is there once it has ended."""

    def __init__(self) -> None:
        self.attempts_per_s = 0.0
        self.seen: Mapping[str, int] = {}

    def end(self, line: bytes) -> None:
        """Note what the attacker says of itself."""
        told: dict[str, Any] = json.loads(line)
        self.attempts_per_s = told["attempts"] / told["seconds"]
        self.seen = told["seen"]


@asynccontextmanager
async def raiding(attack: str, port: int, token: str, per_s: float | None = None) -> AsyncIterator[Raid]:
    """Attack from a process on the readers' core that lets everything else there go first."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "load.floods.attacker",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    pin(process.pid, READERS_CORE)
    os.setpriority(os.PRIO_PROCESS, process.pid, _NICE)
    raid = Raid()
    # A token is a secret: it is no argument, which everybody on the machine could read.
    asked = {"attack": attack, "port": port, "token": token, "per_s": per_s or PLANS[attack].per_s}
    stdin, stdout = process.stdin, process.stdout
    if stdin is None or stdout is None:
        raise Broken("the attacker's process has no pipes")
    try:
        stdin.write(json.dumps(asked).encode() + b"\n")
        await stdout.readline()
        yield raid
        stdin.close()
        raid.end(await stdout.readline())
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
