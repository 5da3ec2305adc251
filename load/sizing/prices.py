"""What things cost a push server, as `make bench` has measured it last."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple, Self

_PACED_PER_S: Final = 2500
_BUSY_PER_S: Final = 10_000
"""The rates of the scenario `egress`."""


class Prices(NamedTuple):
    """CPU in seconds of one core, memory and Kafka's traffic in bytes."""

    record: float
    """Reading one record of many that come at once."""
    record_paced: float
    """Reading one record at 2 500/s: half of it is waking up."""
    record_busy: float
    """Reading one record at 10 000/s."""
    delivery: float
    """One change to one watcher, in a write of its own."""
    handshake: float
    idle_server: float
    """A core's share that a server uses with nothing to do."""
    idle_connection: float
    """A core's share that a connection uses for its bookmarks."""
    resource_bytes: float
    """Of one resource, without its value."""
    connection_bytes: float
    empty_bytes: float
    """Of a server without resources or connections."""
    record_overhead_bytes: float
    """What Kafka sends for a record beside its value: headers, key, framing, at a few thousand records/s."""

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The medians of the results in a folder."""

        def median(scenario: str, figure: str) -> float:
            results = json.loads((folder / f"{scenario}.json").read_text())
            return float(results["figures"][figure]["median"])

        return cls(
            record=median("ingest", "cpu_us_per_record") / 1e6,
            record_paced=median("egress", "paced_cpu_us") / 1e6,
            record_busy=median("egress", "busy_cpu_us") / 1e6,
            delivery=median("paced-ws", "cpu_us_per_delivery") / 1e6,
            handshake=median("connect-ws", "cpu_us") / 1e6,
            idle_server=median("quiet", "idle_core_percent") / 100,
            idle_connection=median("idle", "ws_core_percent") / 100 / 1000,
            resource_bytes=median("boot", "bytes_per_resource"),
            connection_bytes=median("idle", "ws_rss_kb") * 1024,
            empty_bytes=median("idle", "ws_empty_mb") * 1e6,
            record_overhead_bytes=median("egress", "paced_bytes") - median("egress", "value_bytes"),
        )

    def ingest(self, records_per_s: float) -> float:
        """A core's share for reading so many records a second.

        Between the measured rates in a straight line, above them at the price of one of many: each fetch costs
        something, and there is a limit to how many fetches a second there are.
        """
        points = [
            (0.0, self.idle_server),
            (_PACED_PER_S, _PACED_PER_S * self.record_paced),
            (_BUSY_PER_S, _BUSY_PER_S * self.record_busy),
        ]
        for (rate, share), (next_rate, next_share) in pairwise(points):
            if records_per_s <= next_rate:
                return share + (next_share - share) * (records_per_s - rate) / (next_rate - rate)
        return points[-1][1] + (records_per_s - _BUSY_PER_S) * self.record

    def rate_of(self, share: float) -> float:
        """How many records a second take that share of a core, beyond the rates that were measured one by one."""
        return _BUSY_PER_S + (share - self.ingest(_BUSY_PER_S)) / self.record
