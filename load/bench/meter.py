"""What a server did and used between two moments."""

from load.bench.figures import Figures
from load.bench.server import Server

_COUNTED = ("deliveries", "writes", "elided", "records")


class Meter:
    """Reads twice; asking for the metrics, which costs the server time, lies outside of what is measured."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def start(self) -> None:
        """Begin to measure."""
        self._totals = await self._server.totals()
        self._usage = self._server.usage()

    async def stop(self) -> Figures:
        """The figures of the time since `start`.

        `others_cores` is how much of the machine everything but the server used, the subscribers' process, the broker
        and the publisher included; `others_server_core` how much of the server's own core.
        """
        used, before = self._server.usage(), self._usage
        totals = await self._server.totals()
        seconds = used.at_s - before.at_s
        cpu_s = used.cpu_s - before.cpu_s
        return {
            "seconds": seconds,
            "cpu_s": cpu_s,
            "core": cpu_s / seconds,
            "waited_s": used.waited_s - before.waited_s,
            "write_calls": used.write_calls - before.write_calls,
            "others_cores": (used.all_cores_s - before.all_cores_s - cpu_s) / seconds,
            "others_server_core": (used.server_core_s - before.server_core_s - cpu_s) / seconds,
            **{name: totals[f"{name}_total"] - self._totals[f"{name}_total"] for name in _COUNTED},
        }
