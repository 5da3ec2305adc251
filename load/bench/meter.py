"""What a server did and used between two moments."""

from load.bench.figures import Figures
from load.bench.server import Server
from load.bench.usage import usage_of

_COUNTED = ("deliveries", "writes", "elided", "records")


class Meter:
    """Of a server and of the process (`readers`) that it writes to.

    Asking for the metrics, which costs the server time, lies outside of what is measured.
    """

    def __init__(self, server: Server, readers: int) -> None:
        self._server = server
        self._readers = readers

    async def start(self) -> None:
        """Begin to measure."""
        self._totals = await self._server.totals()
        self._read = usage_of(self._readers)
        self._usage = self._server.usage()

    async def stop(self) -> Figures:
        """The figures of the time since `start`.

        `core` and `readers_core` are the shares of their cores that the server and the process of its readers used:
        where the latter is close to 1, the readers are what limits. `others_cores` is how much of the machine all else
        used, which should be the broker and the publisher; `others_server_core` how much of the server's own core.
        """
        used, read, before = self._server.usage(), usage_of(self._readers), self._usage
        totals = await self._server.totals()
        seconds = used.at_s - before.at_s
        cpu_s, readers_s = used.cpu_s - before.cpu_s, read.cpu_s - self._read.cpu_s
        return {
            "seconds": seconds,
            "cpu_s": cpu_s,
            "core": cpu_s / seconds,
            "waited_s": used.waited_s - before.waited_s,
            "write_calls": used.write_calls - before.write_calls,
            "readers_core": readers_s / seconds,
            "others_cores": (used.all_cores_s - before.all_cores_s - cpu_s - readers_s) / seconds,
            "others_server_core": (used.server_core_s - before.server_core_s - cpu_s) / seconds,
            **{name: totals[f"{name}_total"] - self._totals[f"{name}_total"] for name in _COUNTED},
        }
