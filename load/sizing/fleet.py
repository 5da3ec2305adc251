"""The push servers that a load takes."""

import math
from dataclasses import dataclass
from typing import Final

from load.sizing.prices import Prices

BUSY: Final = 0.5
"""How much of a core a server may use on average: the rest is for bursts, and for the watchers of one that died."""
FULL: Final = 10_000
"""How many connections a server is given: half of `max_connections`, for the same reason."""
LONGEST_FAN_OUT_S: Final = 0.05
"""How long a server may take to hand one change to all its watchers; the loop does nothing else meanwhile."""


@dataclass(frozen=True)
class Load:
    """What is asked of a cluster. `fan_out` is how many watchers a change has on average, `widest` at the most."""

    watchers: int
    changes_per_s: float
    fan_out: float
    widest: int
    resources: int
    value_bytes: int


@dataclass(frozen=True)
class Fleet:
    """What it takes; `servers` is 0 where no number of servers would do, since each reads everything."""

    servers: int
    why: str
    """What asks for so many: `connections`, `CPU` or `fan-out`."""
    ingest: float
    """A core's share of each server, for reading."""
    deliveries: float
    """The same for deliveries and bookmarks."""
    memory_bytes: float
    """Of each server."""
    egress_bytes_per_s: float
    """From Kafka, over all."""
    reconnect_s: float
    """How long the others take to welcome the watchers of one that died, if they did nothing else."""


def fleet_for(load: Load, prices: Prices) -> Fleet:
    """The smallest one that keeps every server below BUSY, FULL and LONGEST_FAN_OUT_S."""
    ingest = prices.ingest(load.changes_per_s)
    work = load.changes_per_s * load.fan_out * prices.delivery + load.watchers * prices.idle_connection
    if ingest >= BUSY:
        return Fleet(0, "reading", ingest, 0.0, _memory(load, prices, 1), 0.0, 0.0)
    wanted = {
        "connections": math.ceil(load.watchers / FULL),
        "CPU": math.ceil(work / (BUSY - ingest)),
        "fan-out": math.ceil(load.widest * prices.delivery / LONGEST_FAN_OUT_S),
    }
    # Two at least: one that leaves is to have another to send its watchers to.
    why = max(wanted, key=lambda name: wanted[name])
    servers = max(2, wanted[why])
    return Fleet(
        servers,
        why,
        ingest,
        work / servers,
        _memory(load, prices, servers),
        servers * load.changes_per_s * (load.value_bytes + prices.record_overhead_bytes),
        load.watchers / servers / (servers - 1) * prices.handshake,
    )


def _memory(load: Load, prices: Prices, servers: int) -> float:
    resources = load.resources * (prices.resource_bytes + load.value_bytes)
    return prices.empty_bytes + resources + load.watchers / servers * prices.connection_bytes
