"""The allowance: how fast one principal may write."""

import time
from collections.abc import Callable

from services.producer.metrics import LIMITED
from services.producer.settings import ProducerSettings
from shared.bucket import Buckets
from shared.principal import Principal
from shared.problem import Problem

_AT_ONCE_S = 2
"""Seconds' worth that may come at once."""


class Allowance:
    """Counts writes and their bytes by `sub`; who has none isn't limited. `clock` gives seconds."""

    def __init__(self, settings: ProducerSettings, clock: Callable[[], float] = time.monotonic) -> None:
        writes, size = settings.writes_per_s_per_principal, settings.bytes_per_s_per_principal
        self._writes = Buckets(writes, writes * _AT_ONCE_S)
        self._bytes = Buckets(size, size * _AT_ONCE_S)
        self._clock = clock

    def spend_bytes(self, principal: Principal, size: int) -> None:
        """Take the bytes of a body from it; raises Problem `rate_limited`, and then nothing was read."""
        _spend(self._bytes, principal, size, self._clock(), "bytes")

    def spend_writes(self, principal: Principal, count: int) -> None:
        """Take writes from it; raises Problem `rate_limited`, and then none of them may be done."""
        _spend(self._writes, principal, count, self._clock(), "writes")


def _spend(buckets: Buckets, principal: Principal, cost: float, now: float, what: str) -> None:
    wait_s = buckets.take(principal.sub, now, cost) if principal.sub else None
    if wait_s is not None:
        LIMITED.labels(limit := f"{what}_per_principal").inc()
        detail = f"one principal writes at most {buckets.rate:g} {what} a second here"
        raise Problem("rate_limited", detail, retry_s=wait_s, limit=limit)
