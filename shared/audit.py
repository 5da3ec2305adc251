"""The audit: one line for each decision about somebody, in a schema that stays (docs/security.md).

A flood of them is sampled, and the lines that were left out are counted in the next one.
"""

import time
from collections.abc import Callable, Mapping
from typing import Final, Literal, NamedTuple, Self

from shared.principal import Principal
from shared.telemetry import logger

Decision = Literal["accepted", "refused", "renewed", "revoked", "expired", "limited", "closed"]
MOST_PER_S: Final = 50
"""Of one decision: what a person or a SIEM can use, at the price of a hundredth of a core."""
_LONGEST: Final = 256
_log = logger("audit")


class Asker(NamedTuple):
    """From where somebody asked, and the front door's `X-Request-Id`."""

    address: str | None
    request_id: str | None

    @classmethod
    def of(cls, address: str | None, headers: Mapping[str, str]) -> Self:
        """Who sent these headers from there."""
        return cls(address, headers.get("x-request-id", "")[:_LONGEST] or None)


NOBODY: Final = Asker(None, None)


class Audit:
    """Writes lines; `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._second: dict[Decision, int] = {}
        self._written: dict[Decision, int] = {}
        self._left_out: dict[Decision, int] = {}

    def say(
        self,
        decision: Decision,
        *,
        principal: Principal | None = None,
        asker: Asker = NOBODY,
        resource: str | None = None,
        reason: str | None = None,
    ) -> None:
        """Write a line, unless there were MOST_PER_S of its kind in this second already.

        `resource` is what was asked for, `reason` the code of a refusal or the name of an end. Never a secret.
        """
        second = int(self._clock())
        if self._second.get(decision) != second:
            self._second[decision], self._written[decision] = second, 0
        if self._written[decision] >= MOST_PER_S:
            self._left_out[decision] = self._left_out.get(decision, 0) + 1
            return
        self._written[decision] += 1
        _log.info(
            "audit",
            decision=decision,
            sub=(principal.sub or None) if principal else None,
            jti=principal.jti if principal else None,
            address=asker.address,
            resource=resource[:_LONGEST] if resource else None,
            request_id=asker.request_id,
            reason=reason,
            left_out=self._left_out.pop(decision, 0),
        )
