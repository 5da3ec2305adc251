"""How many watch, how much is written meanwhile, and how servers leave."""

from dataclasses import dataclass
from typing import Final

COLLECTION: Final = "feed"


@dataclass(frozen=True)
class Scale:
    """The numbers of a run.

    Half of the watchers are WebSockets, half of each kind are in log mode; one in `all_every` watches the whole
    collection, the others one resource each. `cookies` is the share of those who keep the front door's cookie.
    `after_s` is how long they are looked at when all is done: a surplus is sent away in 30 s. A reload sends everybody
    away over `drain_s` too, and what is left then may stay until `hard_stop_s`.
    """

    watchers: int = 2000
    servers: int = 3
    resources: int = 40
    per_s: float = 50
    cookies: float = 0.3
    all_every: int = 50
    drain_wait_s: float = 3
    drain_s: float = 12
    reconnect_s: float = 2
    overlap_s: float = 2
    after_s: float = 45
    hard_stop_s: float = 30

    @property
    def late_s(self) -> float:
        """Within which the last of those who are sent away come back."""
        return self.reconnect_s + self.overlap_s

    @property
    def even_share(self) -> float:
        """How many watchers each server has when all have the same."""
        return self.watchers / self.servers

    @property
    def config(self) -> str:
        """The watchroute.toml of the run, without addresses."""
        collection = f'[collections.{COLLECTION}]\nmodes = ["state", "log"]\npartitions = 12\nreplication = 3\n'
        return f'[auth]\nmode = "none"\n{collection}'
