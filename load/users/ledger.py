"""What was acknowledged to publishers, so that a watcher can be asked whether it has come that far."""

from collections.abc import Mapping


class Ledger:
    """The newest acknowledged version of each resource; `complete` says that no publisher adds to it any more."""

    def __init__(self) -> None:
        self.complete = False
        self.versions: dict[str, int] = {}

    def acknowledged(self, resource: str, version: int) -> None:
        """A write was answered."""
        self.versions[resource] = max(version, self.versions.get(resource, -1))

    def merge(self, versions: Mapping[str, int]) -> None:
        """What publishers elsewhere were answered."""
        for resource, version in versions.items():
            self.acknowledged(resource, version)
