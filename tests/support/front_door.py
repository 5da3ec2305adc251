"""HAProxy in front of servers, with the configuration that operators are given and a certificate of the run."""

import asyncio
import csv
import ctypes
import io
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol, Self

from tests.support.client_http import Http
from tests.support.deadline import until
from tests.support.fleet import HOST, ROOT, free_port

FOLDER: Final = ROOT / "infra" / "haproxy"
BASE: Final = FOLDER / "haproxy.cfg"
HAPROXY: Final = shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or "haproxy"
"""Debian keeps it where only root looks."""

CHECK_INTERVAL: Final = "100ms"
_LOG_TAIL_BYTES: Final = 4000
_PR_SET_PDEATHSIG: Final = 1


class NoFrontDoor(AssertionError):
    """This machine has no HAProxy, or nothing to make a certificate with."""


class Served(Protocol):
    """A server that HAProxy can send requests to, and ask for its health."""

    @property
    def port(self) -> int: ...

    @property
    def admin_port(self) -> int: ...


def require_haproxy() -> None:
    """Raise NoFrontDoor when there is no HAProxy, openssl or curl."""
    for command in (HAPROXY, "openssl", "curl"):
        if shutil.which(command) is None:
            raise NoFrontDoor(f"the command `{command}` is missing (Debian's package of that name)")


def certificate(folder: Path) -> Path:
    """A folder with `ca.pem`, to be trusted, and `localhost.pem`, for HAProxy."""
    made = folder / "certificate"
    subprocess.run([ROOT / "infra/setup/certs.sh", made], check=True, capture_output=True)
    return made


def addresses(kind: str, servers: Sequence[Served]) -> dict[str, str]:
    """The variables of `servers.static.cfg` that name these."""
    named: dict[str, str] = {}
    for number, server in enumerate(servers, 1):
        named[f"FRONT_{kind}_{number}"] = f"{HOST}:{server.port}"
        named[f"FRONT_{kind}_{number}_ADMIN"] = str(server.admin_port)
    return named


class FrontDoor:
    """One HAProxy; an async context manager. It dies with the test run.

    `environment` holds variables of the configuration beside the addresses to listen at, which are chosen here.
    """

    def __init__(
        self, folder: Path, certificate: Path, environment: Mapping[str, str], *, servers: str = "static"
    ) -> None:
        self.port, self.http_port, self.admin_port = free_port(), free_port(), free_port()
        self.log = folder / f"haproxy-{self.port}.log"
        self.ca = certificate / "ca.pem"
        self._files = (BASE, FOLDER / f"servers.{servers}.cfg")
        self._environment = {
            "FRONT_BIND": f"{HOST}:{self.port}",
            "FRONT_HTTP_BIND": f"{HOST}:{self.http_port}",
            "FRONT_REDIRECT_PORT": str(self.port),
            "FRONT_ADMIN_BIND": f"{HOST}:{self.admin_port}",
            "FRONT_CERTIFICATE": str(certificate / "localhost.pem"),
            "FRONT_CHECK_INTERVAL": CHECK_INTERVAL,
            "FRONT_MAXCONN": "2000",
            **environment,
        }
        self._process: subprocess.Popen[bytes] | None = None

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

    def launch(self) -> None:
        """Start it, without waiting until it listens."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("FRONT_")}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [HAPROXY, "-W", "-db", *(part for path in self._files for part in ("-f", str(path)))],
                env=inherited | self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 -- one system call, before any thread of the child
            )

    async def __aenter__(self) -> Self:
        self.launch()
        try:
            await until(self._listens, "HAProxy listens", within_s=10, every_s=0.02)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        await asyncio.to_thread(self._process.wait)

    def reload(self) -> None:
        """Have a new process, with the files as they are now, take whoever comes; the old one ends in time."""
        assert self._process is not None
        self._process.send_signal(signal.SIGUSR2)

    def log_tail(self) -> str:
        """The last lines that it wrote."""
        return self.log.read_bytes()[-_LOG_TAIL_BYTES:].decode(errors="replace")

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

    async def metric(self, name: str, proxy: str) -> float:
        """A counter of one proxy, from the exporter."""
        async with Http(self.admin_url) as http:
            text = (await http.get("/metrics")).body.decode()
        found = re.search(rf'^{name}{{proxy="{proxy}"}} (\S+)$', text, re.MULTILINE)
        assert found, f"no {name} of {proxy}"
        return float(found[1])

    async def _stats(self) -> list[dict[str, str]]:
        async with Http(self.admin_url) as http:
            answer = await http.get("/;csv")
        return list(csv.DictReader(io.StringIO(answer.body.decode())))

    async def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"HAProxy has ended:\n{self.log_tail()}"
        try:
            async with Http(self.admin_url) as http:
                return (await http.get("/livez")).status == 200
        except OSError:
            return False


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
