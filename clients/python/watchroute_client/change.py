"""What a watch yields."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """A `put` or a `delete`; or `reset` (forget what you hold, the state follows), or `synced` (the state is whole).

    `version` grows with each change of a resource. `reason` is that of a `reset`: `expired`, `epoch`, `cursor`, or
    `interrupted` (a snapshot was cut off, and begins anew). `frame` is what the server said, as it said it.
    """

    event: str
    resource: str = ""
    version: int = -1
    data: Any = None
    time: str | None = None
    type: str | None = None
    reason: str | None = None
    resumed: bool = False
    frame: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, frame: Mapping[str, Any]) -> "Change":
        """The change that a data frame tells."""
        return cls(
            frame["event"],
            frame["resource"],
            int(frame["version"]),
            frame.get("data"),
            frame.get("time"),
            frame.get("type"),
            frame=frame,
        )
