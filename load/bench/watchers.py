"""The driver's side of the subscribers' process."""

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

_LINE_LIMIT: Final = 64 * 1024 * 1024


class Watchers:
    """The process, and the groups of connections in it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._asked = 0
        self._groups = 0

    async def open(
        self,
        port: int,
        kind: str,
        target: str,
        count: int,
        *,
        window: int = 200,
        sample_every: int = 0,
        within_s: float = 60,
    ) -> "Group":
        """Open connections, and wait until each has its initial state; raises Broken when one has not.

        `kind` is `ws`, `sse`, `poll` or `raw`; `{n}` in the target becomes the number of the connection.
        """
        group = self._group()
        group.opened = await self.ask(
            "open",
            group.name,
            port=port,
            kind=kind,
            target=target,
            count=count,
            window=window,
            sample_every=sample_every,
            within_s=within_s,
        )
        check_alive(group.opened, f"opening {count} of {kind} {target}")
        return group

    async def probe(self, port: int, target: str, every_s: float) -> "Group":
        """Open one WebSocket that pings without pause."""
        group = self._group()
        await self.ask("probe", group.name, port=port, target=target, every_s=every_s)
        return group

    async def ask(self, what: str, group: str, **details: Any) -> dict[str, Any]:
        """Ask for something, and wait for the answer; raises Broken when the process can't."""
        self._asked += 1
        future = self._answers[self._asked] = asyncio.get_running_loop().create_future()
        line = json.dumps({"id": self._asked, "do": what, "group": group, **details})
        stdin = self.process.stdin
        if stdin is None:
            raise Broken("the subscribers' process has no standard input")
        stdin.write(line.encode() + b"\n")
        answer: dict[str, Any] = await future
        if "failed" in answer:
            raise Broken(f"the subscribers can't {what}: {answer['failed']}")
        return answer

    async def hear(self) -> None:
        """Hand out answers until the process ends."""
        stdout = self.process.stdout
        while stdout is not None and (line := await stdout.readline()):
            answer = json.loads(line)
            self._answers.pop(answer.pop("id")).set_result(answer)
        for future in self._answers.values():
            future.set_exception(Broken("the subscribers' process has ended"))

    def _group(self) -> "Group":
        self._groups += 1
        return Group(self, str(self._groups))


class Group:
    """Connections that were opened together."""

    def __init__(self, watchers: Watchers, name: str) -> None:
        self.name = name
        self.opened: Mapping[str, Any] = {}
        self._watchers = watchers

    @property
    def pid(self) -> int:
        """The process that reads."""
        return self._watchers.process.pid

    async def begin(self) -> None:
        """Count from zero."""
        await self._watchers.ask("begin", self.name)

    async def wait(self, ends: int, within_s: float = 60) -> Mapping[str, Any]:
        """Wait until so many last values have arrived; raises Broken when they don't, or a connection is lost."""
        status = await self._watchers.ask("wait", self.name, ends=ends, within_s=within_s)
        check_alive(status, f"waiting for {ends} last values")
        return status

    async def status(self) -> Mapping[str, Any]:
        """Where it stands now."""
        return await self._watchers.ask("wait", self.name, ends=0, within_s=1)

    async def judge(self, *, from_ns: int = 0, until_ns: int = 1 << 63, arrivals: bool = False) -> Mapping[str, Any]:
        """What the journals say; delays of values sent between the two times only."""
        return await self._watchers.ask("judge", self.name, from_ns=from_ns, until_ns=until_ns, arrivals=arrivals)

    async def probed(self) -> Mapping[str, Any]:
        """The delays of pings since `begin`."""
        probed = await self._watchers.ask("probed", self.name)
        check_alive({"late": False, **probed}, "pinging")
        return probed

    async def close(self) -> None:
        """Close the connections."""
        await self._watchers.ask("close", self.name)


@asynccontextmanager
async def watching(nice: int = 0) -> AsyncIterator[Watchers]:
    """A subscribers' process on its core; `nice` lets others on that core go first."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "load.bench.crowd",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=_LINE_LIMIT, cwd=ROOT,
    )  # fmt: skip
    pin(process.pid, READERS_CORE)
    if nice:
        os.setpriority(os.PRIO_PROCESS, process.pid, nice)
    watchers = Watchers(process)
    hearing = asyncio.create_task(watchers.hear())
    try:
        yield watchers
    finally:
        if process.returncode is None:
            process.kill()
        await hearing
        await process.wait()


def check_alive(status: Mapping[str, Any], what: str) -> None:
    """Raise Broken when connections were lost, or not all came in time."""
    if status["lost"]:
        raise Broken(f"{what}: {status['lost']} connections lost, {status['losses']}")
    if status["late"]:
        raise Broken(f"{what}: not in time, {dict(status)}")
