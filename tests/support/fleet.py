"""Push servers and a producer as the operator runs them: real processes, configured by a file and the environment."""

import asyncio
import json
import secrets
import socket
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from datetime import date
from pathlib import Path
from typing import Any, Final, Self

from infra.cluster.process import HOST
from infra.cluster.service import Service
from tests.support.broker import Broker
from tests.support.topics import Topics

BOOKMARK_INTERVAL_S: Final = 0.5

Settings = Mapping[str, Any]


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


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

    async def add_server(self, **settings: Any) -> Service:
        """One more push server, ready, with settings of its own; it ends with the fleet at the latest."""
        server = self._push_server()
        server.variables |= {f"WATCHROUTE_PUSHSERVER_{name.upper()}": str(value) for name, value in settings.items()}
        await self._start(server)
        return server

    async def _start(self, *services: Service) -> None:
        for service in services:
            self._stack.push_async_callback(service.shut)
            service.launch()
        await asyncio.gather(*(service.wait_ready() for service in services))

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
    lines = ["[auth]", 'mode = "none"', "[kafka]", f"bootstrap = {json.dumps(bootstrap)}"]
    for name, table in collections.items():
        lines += [f"[collections.{name}]", *(f"{key} = {_value(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else json.dumps(value)
