"""HAProxy in front of servers, with the configuration that operators are given."""

import csv
import io
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Protocol, Self

from infra.cluster.ask import ask
from infra.cluster.deadline import until
from infra.cluster.port import ReservedPort
from infra.cluster.process import HOST, ROOT, Process

FOLDER: Final = ROOT / "infra" / "haproxy"
BASE: Final = FOLDER / "haproxy.cfg"
HAPROXY: Final = shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or "haproxy"
"""Debian keeps it where only root looks."""


_CONNECTIONS: Final = 20_000
_FILES_OF_ITS_OWN: Final = 200


class NoFrontDoor(Exception):
    """This machine has no HAProxy, or nothing to make a certificate with."""


class DoorPorts(NamedTuple):
    """Where it listens: HTTPS, plain HTTP, and its admin port; 0 is a free one."""

    https: int = 0
    http: int = 0
    admin: int = 0


class Served(Protocol):
    """A server that HAProxy can send requests to, and ask for its health."""

    port: int
    admin_port: int


def require_haproxy() -> None:
    """Raise NoFrontDoor when there is no HAProxy, openssl or curl."""
    for command in (HAPROXY, "openssl", "curl"):
        if shutil.which(command) is None:
            raise NoFrontDoor(f"the command `{command}` is missing (Debian's package of that name)")


def certificate(folder: Path) -> Path:
    """That folder, with `ca.pem`, to be trusted, and `localhost.pem`, for HAProxy; made when there is none."""
    subprocess.run([ROOT / "infra/setup/certs.sh", folder], check=True, capture_output=True)
    return folder


def addresses(kind: str, servers: Sequence[Served]) -> dict[str, str]:
    """The variables of `servers.static.cfg` that name these."""
    named: dict[str, str] = {}
    for number, server in enumerate(servers, 1):
        named[f"FRONT_{kind}_{number}"] = f"{HOST}:{server.port}"
        named[f"FRONT_{kind}_{number}_ADMIN"] = str(server.admin_port)
    return named


class FrontDoor(Process):
    """One HAProxy, as master, whose command line is at the socket `master`, and worker.

    `variables` are those of the configuration beside the addresses to listen at, and may be changed between two starts.
    """

    def __init__(
        self,
        folder: Path,
        certificate: Path,
        variables: Mapping[str, str],
        *,
        servers: str = "static",
        name: str = "",
        ports: DoorPorts | None = None,
    ) -> None:
        self._ports = [ReservedPort(number) for number in ports or DoorPorts()]
        self.port, self.http_port, self.admin_port = (port.number for port in self._ports)
        name = name or f"haproxy-{self.port}"
        super().__init__(name, folder / f"{name}.log")
        self.ca = certificate / "ca.pem"
        # Its path has to be short, and a folder of tests is not.
        made = tempfile.mkdtemp(prefix="haproxy-")
        weakref.finalize(self, shutil.rmtree, made, ignore_errors=True)
        self.master = Path(made) / "master"
        self._files = (BASE, FOLDER / f"servers.{servers}.cfg")
        self.variables = {
            "FRONT_BIND": f"{HOST}:{self.port}",
            "FRONT_HTTP_BIND": f"{HOST}:{self.http_port}",
            "FRONT_REDIRECT_PORT": str(self.port),
            "FRONT_ADMIN_BIND": f"{HOST}:{self.admin_port}",
            "FRONT_CERTIFICATE": str(certificate / "localhost.pem"),
            "FRONT_MAXCONN": str(_most_connections()),
            **variables,
        }

    @property
    def url(self) -> str:
        """Where clients go."""
        return f"https://localhost:{self.port}"

    @property
    def http_url(self) -> str:
        """Where those go who say `http`."""
        return f"http://localhost:{self.http_port}"

    @property
    def admin_url(self) -> str:
        """Where its metrics are."""
        return f"http://{HOST}:{self.admin_port}"

    def command(self) -> Sequence[str]:
        """HAProxy in the foreground, ready to be reloaded."""
        files = (part for path in self._files for part in ("-f", str(path)))
        return [HAPROXY, "-W", "-S", str(self.master), "-db", *files]

    def environment(self) -> Mapping[str, str]:
        """Ours, without what would configure HAProxy, and with `variables`."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("FRONT_")}
        return inherited | self.variables

    async def ready(self) -> bool:
        """Whether it listens."""
        return (await ask(f"{self.admin_url}/livez"))[0] == 200

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.shut()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.shut()

    def leave(self) -> None:
        """As Docker and Kubernetes end it: it takes nobody any more, and ends with the last of those who are there."""
        self._signal(signal.SIGUSR1)

    def workers(self) -> list[int]:
        """The processes of its workers: one, and during a reload also those that still have connections."""
        master = self.process.pid
        return [int(pid) for pid in Path(f"/proc/{master}/task/{master}/children").read_text().split()]

    def reload(self) -> None:
        """Have a new worker, with the files as they are now, take whoever comes; the old one ends in time."""
        self._signal(signal.SIGUSR2)

    async def status(self, server: str, backend: str = "pushserver") -> str:
        """What HAProxy thinks of a server: `UP`, `NOLB` (gets nobody new), `DOWN`, ….

        Only what a check has said counts: before the first one it is empty.
        """
        rows = [row for row in await self._stats() if (row["# pxname"], row["svname"]) == (backend, server)]
        return rows[0]["status"].split()[0] if rows and rows[0]["check_status"] else ""

    async def until_status(self, server: str, status: str, backend: str = "pushserver") -> None:
        """Return when it thinks so."""

        async def thinks() -> bool:
            return await self.status(server, backend) == status

        await until(thinks, f"{server} is {status}", within_s=20, every_s=0.02)

    async def cookies(self) -> dict[str, str]:
        """The push servers by the value of their cookie."""
        return {row["cookie"]: row["svname"] for row in await self._stats() if row["cookie"]}

    async def sessions(self, backend: str = "pushserver") -> dict[str, int]:
        """How many connections each server has."""
        rows = [row for row in await self._stats() if row["# pxname"] == backend and row["svname"] != "BACKEND"]
        return {row["svname"]: int(row["scur"]) for row in rows}

    async def metric(self, name: str, proxy: str) -> float:
        """A counter of one proxy, from the exporter."""
        _, text = await ask(f"{self.admin_url}/metrics")
        found = re.search(rf'^{name}{{proxy="{proxy}"}} (\S+)$', text, re.MULTILINE)
        if found is None:
            raise LookupError(f"no {name} of {proxy}")
        return float(found[1])

    async def _stats(self) -> list[dict[str, str]]:
        _, text = await ask(f"{self.admin_url}/;csv")
        return list(csv.DictReader(io.StringIO(text)))


def _most_connections() -> int:
    """What its configuration has by default, or as this machine lets it have: two files each, and some of its own."""
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(_CONNECTIONS, (files - _FILES_OF_ITS_OWN) // 2)
