"""What is watched: one resource, a collection, or the ids under a prefix."""

from typing import NamedTuple, Self
from urllib.parse import quote, urlencode

from watchroute_client.problem import WatchError

_PREFIX = "?prefix="


class Target(NamedTuple):
    """`stocks/AAPL`, `stocks` or `stocks?prefix=A`, as it is written in frames."""

    collection: str
    id: str | None = None
    prefix: str | None = None

    @classmethod
    def parse(cls, path: str) -> Self:
        """Read a path; raises WatchError `invalid` for what can't be one."""
        collection, slash, resource_id = path.partition("/")
        if "?" in collection or not slash:
            collection, mark, prefix = path.partition(_PREFIX)
            found = cls(collection, prefix=prefix if mark else None)
        else:
            found = cls(collection, resource_id)
        if not found.collection or "?" in found.collection or found.id == "":
            raise WatchError("invalid", f"{path!r} names no resource, collection or prefix")
        return found

    @property
    def label(self) -> str:
        """As it stands in frames."""
        if self.id is not None:
            return f"{self.collection}/{self.id}"
        return self.collection if self.prefix is None else f"{self.collection}{_PREFIX}{self.prefix}"

    @property
    def path(self) -> str:
        """The path of its URL, without parameters."""
        collection = f"/v1/{quote(self.collection, safe='')}"
        return collection if self.id is None else f"{collection}/{quote(self.id, safe='')}"

    def address(self, verb: str, parameters: dict[str, str]) -> str:
        """The path and query of a request; `verb` is `stream`, `poll` or nothing."""
        query = urlencode(parameters if self.prefix is None else {"prefix": self.prefix, **parameters}, quote_via=quote)
        return self.path + (f"/{verb}" if verb else "") + (f"?{query}" if query else "")

    def covers(self, resource: str) -> bool:
        """Whether a change of this resource belongs to it."""
        if self.id is not None:
            return resource == self.label
        return resource.startswith(f"{self.collection}/{self.prefix or ''}")

    def overlaps(self, other: Self) -> bool:
        """Whether some resource belongs to both."""
        if self.collection != other.collection:
            return False
        if self.id is not None:
            return other.covers(self.label)
        if other.id is not None:
            return self.covers(other.label)
        mine, theirs = self.prefix or "", other.prefix or ""
        return mine.startswith(theirs) or theirs.startswith(mine)
