"""A push server or a producer as the operator runs it: a real process, configured by a file and the environment."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.cluster.ask import ask
from infra.cluster.port import ReservedPort
from infra.cluster.process import HOST, Process
from infra.cluster.variables import configured


class Service(Process):
    """One process of `python -m services.KIND`; it keeps its ports over restarts.

    `environment` are variables beside those of its addresses; no other `WATCHROUTE_*` reach it.
    `ports` are those of the service and of its admin listener, free ones if left out.
    """

    def __init__(
        self,
        kind: str,
        folder: Path,
        config: Path,
        environment: Mapping[str, str],
        *,
        name: str = "",
        ports: tuple[int, int] = (0, 0),
    ) -> None:
        self.kind = kind
        self._ports = tuple(ReservedPort(number) for number in ports)
        self.port, self.admin_port = (port.number for port in self._ports)
        name = name or f"{kind}-{self.port}"
        super().__init__(name, folder / f"{name}.log")
        self.variables = {"WATCHROUTE_CONFIG": str(config), **self._addresses(), **environment}

    @property
    def url(self) -> str:
        """Where clients go, if not through the front door."""
        return f"http://{HOST}:{self.port}"

    @property
    def admin_url(self) -> str:
        """Where `/readyz`, `/livez` and `/metrics` are."""
        return f"http://{HOST}:{self.admin_port}"

    def command(self) -> Sequence[str]:
        """The module that is the service."""
        return [sys.executable, "-m", f"services.{self.kind}"]

    def environment(self) -> Mapping[str, str]:
        """Ours, and `variables`: they may change between two starts."""
        return configured(self.variables)

    async def ready(self) -> bool:
        """Whether `/readyz` says 200."""
        status, _ = await ask(f"{self.admin_url}/readyz")
        return status == 200

    def _addresses(self) -> dict[str, str]:
        table = f"WATCHROUTE_{self.kind.upper()}"
        ports = {f"{table}_PORT": str(self.port), f"{table}_ADMIN_PORT": str(self.admin_port)}
        return ports | {f"{table}_HOST": HOST, f"{table}_ADMIN_HOST": HOST}
