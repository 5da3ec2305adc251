"""The demo as its reader runs it: one process on one port, against a Kafka that outlives it."""

import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import aiohttp

from infra.cluster.deadline import until
from infra.cluster.process import HOST, ROOT
from tests.support.fleet import free_port

_READY_WITHIN_S: Final = 30
_ANSWER_WITHIN: Final = aiohttp.ClientTimeout(total=10)
_LOG_TAIL_BYTES: Final = 4000
_PR_SET_PDEATHSIG: Final = 1


class DemoDied(AssertionError):
    """The demo ended by itself; the message holds the end of its log."""


class DemoProcess:
    """`python -m cli demo`; it keeps its port over restarts and dies with the test run.

    Without a `bootstrap` it has its embedded Kafka, and a new one with each start. `example` is a folder of examples/.
    """

    def __init__(self, bootstrap: str | None, folder: Path, example: str | None = None) -> None:
        self.port = free_port()
        self._log = folder / f"demo-{self.port}.log"
        kafka = [] if bootstrap is None else ["--kafka", bootstrap]
        shown = [] if example is None else ["--example", example]
        self._command = ["-m", "cli", "demo", "--port", str(self.port), *kafka, *shown]
        self._sign = "readyz" if example else "v1/stocks/AAPL"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    async def start(self) -> None:
        """Start it unless it runs, and return when it serves a price, or is ready with its example."""
        if self._process is None:
            self._launch()
        await until(self._serves, f"{self.url} serves", within_s=_READY_WITHIN_S)

    def kill(self) -> None:
        """SIGKILL: no bookmark, no goaway, no close."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM, and wait until it has ended."""
        self._end(signal.SIGTERM)

    async def put(self, resource: str, data: Any) -> None:
        """Publish as `curl -X PUT` does."""
        await self._write("PUT", resource, json=data)

    async def delete(self, resource: str) -> None:
        """As `curl -X DELETE` does."""
        await self._write("DELETE", resource)

    def _launch(self) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("WATCHROUTE_")}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *self._command],
                cwd=ROOT,
                env=inherited | {"WATCHROUTE_PUSHSERVER_BOOKMARK_INTERVAL_S": "0.5"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 -- one system call, before any thread of the child
            )

    async def _write(self, method: str, resource: str, **body: Any) -> None:
        url = f"{self.url}/v1/{resource}"
        async with (
            aiohttp.ClientSession(timeout=_ANSWER_WITHIN) as session,
            session.request(method, url, **body) as answer,
        ):
            assert answer.status == 200, await answer.text()

    def _end(self, with_signal: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(with_signal)
            self._process.wait(timeout=20)
            self._process = None

    async def _serves(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            tail = self._log.read_bytes()[-_LOG_TAIL_BYTES:].decode(errors="replace")
            raise DemoDied(f"the demo ended with {self._process.returncode}:\n{tail}")
        url = f"{self.url}/{self._sign}"
        try:
            async with aiohttp.ClientSession(timeout=_ANSWER_WITHIN) as session, session.get(url) as answer:
                return answer.status == 200
        except (aiohttp.ClientConnectionError, TimeoutError):
            return False


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
