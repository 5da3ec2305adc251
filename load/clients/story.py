"""What one application was told, and when."""

from dataclasses import dataclass, field
from itertools import pairwise

from load.rolling.account import Truth


@dataclass
class Story:
    """Every version that was told of each resource, in order; `silence_s` is the longest time between two changes."""

    mode: str
    told: dict[str, list[int]] = field(default_factory=dict)
    resets: int = 0
    silence_s: float = 0.0
    last_at: float | None = None

    def on_change(self, resource: str, version: int, at: float) -> None:
        """A put or a delete, at a time in seconds."""
        self.told.setdefault(resource, []).append(version)
        if self.last_at is not None:
            self.silence_s = max(self.silence_s, at - self.last_at)
        self.last_at = at

    @property
    def repeats(self) -> int:
        """How often something was told that had been told before, or that is older."""
        return sum(later <= earlier for versions in self.told.values() for earlier, later in pairwise(versions))

    def gaps(self, truth: Truth) -> int:
        """In `log` mode the writes that were never told; in `state` mode the resources whose newest wasn't."""
        if self.mode == "log":
            return sum(len(set(written) - set(self.told.get(resource, ()))) for resource, written in truth.items())
        return sum(max(written) > max(self.told.get(resource, [-1])) for resource, written in truth.items() if written)
