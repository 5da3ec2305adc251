"""Whether this server has more than its share of the watchers, by what the front doors say with each of their checks.

HAProxy's `http-check send-state` tells a server how many connections there are at it and at all of them, and by which
weights they are to be spread. Nobody comes to a server that was restarted or added unless he reconnects: those that
have too many send the surplus away, and take nobody meanwhile who could go elsewhere.
"""

import re
from typing import Final, NamedTuple

FULL_AT: Final = 1.25
"""How many times its share makes a server full. Below that is what hashing does by chance; a front door's own bound,
which newcomers without cookies meet first, is 1.5."""
LEVEL_AT: Final = 1.1
"""How many times its share it may have once it has begun to send away: far from FULL_AT, so that it doesn't flap."""
FEWEST_WATCHERS: Final = 50
SMALLEST_SURPLUS: Final = 10
"""Of a few watchers the next one may be too many, and it isn't worth a reconnect."""
FORGOTTEN_AFTER_S: Final = 10.0
"""Five checks: a front door that says nothing for so long has gone, and its last word with it."""
_REMEMBERED: Final = 4096
_STATE: Final = re.compile(r"(\w+)[^;]*;.* node=([^;]*); weight=(\d+)/(\d+); scur=(\d+)/(\d+)")


class _Told(NamedTuple):
    """By one front door: when, how many watchers of all of its are here, and how many should be."""

    at_s: float
    here: int
    of_all: int
    even: float


class Share:
    """What the front doors say, added up. A surplus is sent away at an even rate over `level_s`; 0: never."""

    def __init__(self, level_s: float) -> None:
        self._level_s = level_s
        self._told: dict[str, _Told] = {}
        self._per_s = 0.0
        self._going = 0
        self.full = False
        """Whether a surplus is being sent away, or is here still: who comes meanwhile is for others."""
        self._refused: dict[str, None] = {}

    def hear(self, state: str, now_s: float, going: int = 0) -> None:
        """Take what a front door says in its X-Haproxy-Server-State; what isn't understood says nothing.

        One that sends us no newcomers (not `UP`) counts for nothing: we leave, or it will say more soon. `going` are
        those that it counts here, and that were sent away already.
        """
        self._going = going
        found = _STATE.match(state)
        if found is None:
            return
        node, (weight, weights, here, of_all) = found[2], map(int, found.groups()[2:])
        if found[1] == "UP" and weights:
            self._told[node] = _Told(now_s, here, of_all, of_all * weight / weights)
        else:
            self._told.pop(node, None)
        self._judge()

    def leaving_per_s(self, watchers: int, now_s: float) -> float:
        """The part of so many watchers that is to be sent away in each second from now on."""
        silent = [node for node, told in self._told.items() if now_s - told.at_s > FORGOTTEN_AFTER_S]
        for node in silent:
            del self._told[node]
        if silent:
            self._judge()
        return self._per_s / watchers if watchers else 0.0

    def refuses(self, request_id: str | None) -> bool:
        """Whether a newcomer is to be sent to another server, which a front door does on 503.

        Each request once: one that comes back found the others full too. Without an id nobody would bring it there.
        """
        if not self.full or not request_id or request_id in self._refused:
            return False
        if len(self._refused) >= _REMEMBERED:
            del self._refused[next(iter(self._refused))]
        self._refused[request_id] = None
        return True

    def _judge(self) -> None:
        here, of_all = (sum(getattr(told, name) for told in self._told.values()) for name in ("here", "of_all"))
        even = sum(told.even for told in self._told.values())
        bound = even * (LEVEL_AT if self.full else FULL_AT)
        counts = bool(self._level_s) and of_all >= FEWEST_WATCHERS

        def too_many(watchers: int) -> bool:
            return counts and watchers > bound and watchers - even >= SMALLEST_SURPLUS

        staying = here - self._going
        # As fast as it was when most was to be sent away: so it ends in time.
        self._per_s = max(self._per_s, (staying - even) / self._level_s) if too_many(staying) else 0.0
        # The next connections of those who were sent away come while they are here, and their cookies lead here.
        self.full = too_many(here) and (self.full or self._per_s > 0)
