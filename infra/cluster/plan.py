"""What a cluster is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from infra.cluster.front_door import DoorPorts
from infra.cluster.process import ROOT

CONFIG: Final = ROOT / "infra" / "compose" / "watchroute.prod.toml"
SCHEMAS: Final = ROOT / "cli" / "schemas"
_KAFKA_PORT, _CONTROLLER_PORT = 19_090, 19_190
_SERVER_PORT, _SERVER_ADMIN_PORT = 18_080, 19_280
_PRODUCER_PORT, _PRODUCER_ADMIN_PORT = 18_180, 19_380
_PAGES_PORT = 18_280


@dataclass(frozen=True)
class Ports:
    """Where everything listens: numbered from those of the fixed ones, or free ones."""

    fixed: bool = False

    def kafka(self, number: int) -> tuple[int, int]:
        """Of one broker, and of its controller."""
        return self._pair(_KAFKA_PORT, _CONTROLLER_PORT, number)

    def server(self, number: int) -> tuple[int, int]:
        """Of one push server, and of its admin listener."""
        return self._pair(_SERVER_PORT, _SERVER_ADMIN_PORT, number)

    def producer(self, number: int) -> tuple[int, int]:
        """Of one producer, and of its admin listener."""
        return self._pair(_PRODUCER_PORT, _PRODUCER_ADMIN_PORT, number)

    def pages(self) -> int:
        """Of the demo's page."""
        return _PAGES_PORT if self.fixed else 0

    def door(self) -> DoorPorts:
        """Of the front door."""
        return DoorPorts(8443, 8080, 8404) if self.fixed else DoorPorts()

    def _pair(self, first: int, second: int, number: int) -> tuple[int, int]:
        return (first + number, second + number) if self.fixed else (0, 0)


@dataclass(frozen=True)
class Plan:
    """The numbers, and what differs from the files in `infra/`.

    `config` is a watchroute.toml without addresses. `server`, `producer` and `every` are `WATCHROUTE_*` variables of
    the push servers, of the producers and of both, `door` are `FRONT_*`, `kafka` is server.properties. With `pages` the
    page of the demo is there, and prices move.
    """

    brokers: int = 3
    producers: int = 2
    servers: int = 3
    pages: bool = False
    config: str = field(default_factory=CONFIG.read_text)
    every: Mapping[str, str] = field(default_factory=dict)
    server: Mapping[str, str] = field(default_factory=dict)
    producer: Mapping[str, str] = field(default_factory=dict)
    door: Mapping[str, str] = field(default_factory=dict)
    kafka: Mapping[str, str] = field(default_factory=dict)
    ports: Ports = field(default_factory=Ports)
