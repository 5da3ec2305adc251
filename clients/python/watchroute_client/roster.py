"""The watches of one connection, found by what a frame names."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from watchroute_client.progress import Progress


@dataclass(slots=True)
class Asked:
    """How one connection tells one watch: `shown` is what of a snapshot came over it, None where none is on its way.

    `renewed` says that another token was asked for on its behalf.
    """

    ref: int
    shown: set[str] | None
    renewed: bool = False


class Roster:
    """Finding is a look into a table, however many watches share a connection. Iterates over the watches."""

    def __init__(self) -> None:
        self._asked: dict[Progress, Asked] = {}
        self._behind: set[Progress] = set()
        self._later: dict[Progress, float] = {}
        self._of_ref: dict[int, Progress] = {}
        self._of_label: dict[str, Progress] = {}
        self._of_collection: dict[str, list[Progress]] = {}

    def __iter__(self) -> Iterator[Progress]:
        return iter(self._asked)

    def __contains__(self, watch: object) -> bool:
        return watch in self._asked

    def __len__(self) -> int:
        return len(self._asked)

    def __getitem__(self, watch: Progress) -> Asked:
        return self._asked[watch]

    @property
    def caught_up(self) -> bool:
        """Whether each of them is synced."""
        return not self._behind

    @property
    def retry_at(self) -> float | None:
        """When the first of those that were refused for now is to be asked for again."""
        return min(self._later.values(), default=None)

    def add(self, watch: Progress, ref: int) -> None:
        """It was asked for, perhaps again."""
        self.remove(watch)
        self._asked[watch] = Asked(ref, watch.telling())
        self._behind.add(watch)
        self._of_ref[ref] = self._of_label[watch.target.label] = watch
        if watch.target.id is None:
            self._of_collection.setdefault(watch.target.collection, []).append(watch)

    def remove(self, watch: Progress) -> bool:
        """It is not told any more; whether it was."""
        asked = self._asked.pop(watch, None)
        if asked is None:
            return False
        self._behind.discard(watch)
        self._later.pop(watch, None)
        del self._of_ref[asked.ref], self._of_label[watch.target.label]
        if watch.target.id is None:
            self._of_collection[watch.target.collection].remove(watch)
        return True

    def is_synced(self, watch: Progress) -> bool:
        """Whether its initial state is told."""
        return watch not in self._behind

    def synced(self, watch: Progress) -> None:
        """Its initial state is told."""
        self._behind.discard(watch)
        self._asked[watch].shown = None

    def begins_anew(self, watch: Progress) -> None:
        """A whole snapshot of it follows."""
        self._behind.add(watch)
        self._asked[watch].shown = set()

    def refused(self, watch: Progress, retry_at: float | None = None) -> None:
        """It is not told for now."""
        self._behind.add(watch)
        if retry_at is not None:
            self._later[watch] = retry_at

    def due(self, now: float) -> list[Progress]:
        """Those that are to be asked for again by now."""
        return [watch for watch, at in self._later.items() if at <= now]

    def matching(self, resource: str) -> list[Progress]:
        """Those that a change of this resource belongs to."""
        found = [watch for watch in self._of_collection.get(resource.partition("/")[0], ()) if _covers(watch, resource)]
        exact = self._of_label.get(resource)
        return found if exact is None else [*found, exact]

    def about(self, frame: Mapping[str, Any]) -> Progress | None:
        """The one that a `synced`, `reset` or `problem` is about: by its `ref`, else by its label.

        A `synced` with a `ref` that isn't known is of a `subscribe` that was taken back.
        """
        ref = frame.get("ref")
        found = self._of_ref.get(ref) if isinstance(ref, int) else None
        if found is None and (ref is None or frame.get("event") != "synced"):
            found = self._of_label.get(str(frame.get("watch")))
        return found


def _covers(watch: Progress, resource: str) -> bool:
    return watch.target.covers(resource)
