"""The page of the demo, as the front door's default."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.cluster.ask import ask
from infra.cluster.port import ReservedPort
from infra.cluster.process import HOST, Process
from infra.cluster.variables import configured


class Pages(Process):
    """`watchroute pages`; `variables` are its `WATCHROUTE_*`. It keeps its port over restarts."""

    def __init__(self, folder: Path, variables: Mapping[str, str], port: int) -> None:
        super().__init__("pages", folder / "pages.log")
        self._variables = variables
        self._port = ReservedPort(port)

    @property
    def address(self) -> str:
        """`host:port`."""
        return self._port.address

    def command(self) -> Sequence[str]:
        """The command line."""
        return [sys.executable, "-m", "cli", "pages", "--host", HOST, "--port", str(self._port.number)]

    def environment(self) -> Mapping[str, str]:
        """Ours, and its own."""
        return configured(self._variables)

    async def ready(self) -> bool:
        """Whether the page is there."""
        status, _ = await ask(f"http://{self.address}/")
        return status == 200
