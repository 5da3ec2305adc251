"""Push servers and a producer as the operator runs them: real processes, configured by a file and the environment."""

import asyncio
import ctypes
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final, Self

import aiohttp

from tests.support.broker import Broker
from tests.support.deadline import until
from tests.support.topics import Topics

ROOT: Final = Path(__file__).parents[2]
HOST: Final = "127.0.0.1"
BOOKMARK_INTERVAL_S: Final = 0.5
_LOG_TAIL_BYTES: Final = 4000
_PR_SET_PDEATHSIG: Final = 1

Settings = Mapping[str, Any]


class ServiceDied(AssertionError):
    """A service ended, or did not become ready; the message holds the end of its log."""


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


class Service:
    """One process of `python -m services.NAME`; it keeps its ports over restarts and dies with the test run."""

    def __init__(self, name: str, folder: Path, config: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self.port, self.admin_port = free_port(), free_port()
        self.log = folder / f"{name}-{self.port}.log"
        self._environment = {"WATCHROUTE_CONFIG": str(config), **self._addresses(), **environment}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where clients go."""
        return f"http://{HOST}:{self.port}"

    @property
    def admin_url(self) -> str:
        """Where `/readyz`, `/livez` and `/metrics` are."""
        return f"http://{HOST}:{self.admin_port}"

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process, while it is meant to run."""
        assert self._process is not None, f"{self.name} was not started"
        return self._process

    def launch(self) -> None:
        """Start the process without waiting for it."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("WATCHROUTE_")}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", f"services.{self.name}"],
                cwd=ROOT,
                env=inherited | self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 -- one system call, before any thread of the child
            )

    async def wait_ready(self, within_s: float = 30) -> None:
        """Return when `/readyz` says 200; raises ServiceDied."""

        async def ready() -> bool:
            if self.process.poll() is not None:
                raise ServiceDied(f"{self.name} ended with {self.process.returncode}:\n{self.log_tail()}")
            return await self._readyz() == 200

        try:
            await until(ready, f"{self.name} is ready", within_s=within_s, every_s=0.03)
        except AssertionError as late:
            raise ServiceDied(f"{late}\n{self.log_tail()}") from None

    async def start(self) -> None:
        """Launch it and wait until it is ready."""
        self.launch()
        await self.wait_ready()

    async def stop(self, within_s: float = 15) -> int:
        """SIGTERM; the exit status."""
        self.terminate()
        return await self.wait_exit(within_s)

    def terminate(self) -> None:
        """SIGTERM, without waiting."""
        self.process.send_signal(signal.SIGTERM)

    async def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        await self.wait_exit(5)

    async def wait_exit(self, within_s: float = 15) -> int:
        """The exit status, once it has ended by itself; after `within_s` it is killed and AssertionError raised."""

        async def ended() -> bool:
            return self.process.poll() is not None

        try:
            await until(ended, f"{self.name} has ended", within_s=within_s, every_s=0.02)
        except AssertionError:
            self.process.kill()
            self.process.wait()
            raise
        return self.process.returncode

    def freeze(self) -> None:
        """SIGSTOP: it lags, as a process without CPU does."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self.process.send_signal(signal.SIGCONT)

    def rss_bytes(self) -> int:
        """Its resident memory."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def log_tail(self) -> str:
        """The last lines that it wrote."""
        return self.log.read_bytes()[-_LOG_TAIL_BYTES:].decode(errors="replace")

    async def shut(self) -> None:
        """End it in any state, for good."""
        if self._process is None or self.process.poll() is not None:
            return
        self.thaw()
        self.process.kill()
        await self.wait_exit(5)

    async def _readyz(self) -> int:
        timeout = aiohttp.ClientTimeout(total=2)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(f"{self.admin_url}/readyz") as got,
            ):
                return got.status
        except (aiohttp.ClientError, TimeoutError, ConnectionError):
            return 0

    def _addresses(self) -> dict[str, str]:
        table = f"WATCHROUTE_{self.name.upper()}"
        ports = {f"{table}_PORT": str(self.port), f"{table}_ADMIN_PORT": str(self.admin_port)}
        return ports | {f"{table}_HOST": HOST, f"{table}_ADMIN_HOST": HOST}


class Fleet:
    """A producer and push servers over one broker; an async context manager.

    `collections` are the `[collections.NAME]` tables. Each gets a topic of its own name and a suffix of this fleet,
    so that fleets can share a broker.
    """

    def __init__(self, broker: Broker, folder: Path, collections: Mapping[str, Settings], *, servers: int = 2) -> None:
        self.broker = broker
        self.folder = folder
        self.suffix = secrets.token_hex(4)
        self.collections = {
            name: {"topic": self.topic(name), "partitions": 4, **table} for name, table in collections.items()
        }
        self.config = folder / f"watchroute-{self.suffix}.toml"
        self.producer = self._service("producer", {})
        self.servers = [self._push_server() for _ in range(servers)]
        self._stack = AsyncExitStack()

    def topic(self, collection: str) -> str:
        """The Kafka topic of a collection."""
        return f"{collection}-{self.suffix}"

    async def __aenter__(self) -> Self:
        await create_topics(self.broker, self.collections.values())
        self.config.write_text(_toml(self.broker.bootstrap, self.collections))
        try:
            await self._start(self.producer, *self.servers)
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def services(self) -> list[Service]:
        """The producer and the push servers that it began with."""
        return [self.producer, *self.servers]

    async def add_server(self) -> Service:
        """One more push server, ready; it ends with the fleet at the latest."""
        server = self._push_server()
        await self._start(server)
        return server

    async def _start(self, *services: Service) -> None:
        for service in services:
            self._stack.push_async_callback(service.shut)
            service.launch()
        await asyncio.gather(*(service.wait_ready() for service in services))

    def _table(self, name: str, given: Settings) -> Settings:
        return {"topic": self.topic(name), "partitions": 4, **given}

    def _push_server(self) -> Service:
        table = "WATCHROUTE_PUSHSERVER"
        return self._service(
            "pushserver",
            {
                f"{table}_BOOKMARK_INTERVAL_S": str(BOOKMARK_INTERVAL_S),
                f"{table}_DRAIN_S": "1",
                f"{table}_PRODUCER_URL": self.producer.url,
            },
        )

    def _service(self, name: str, environment: Mapping[str, str]) -> Service:
        return Service(name, self.folder, self.config, environment)


async def create_topics(broker: Broker, tables: Iterable[Settings]) -> None:
    """Compacted topics as the tables say; the embedded broker makes its own, of its own size."""
    async with Topics(broker.bootstrap, real=broker.real) as topics:
        for table in tables:
            config = {"cleanup.policy": "compact"}
            await topics.create(table["topic"], partitions=table["partitions"], config=config)


def _toml(bootstrap: str, collections: Mapping[str, Settings]) -> str:
    lines = ["[kafka]", f"bootstrap = {json.dumps(bootstrap)}"]
    for name, table in collections.items():
        lines += [f"[collections.{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
