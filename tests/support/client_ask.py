"""What a watcher asks for, apart from how it asks."""

from dataclasses import dataclass, replace
from typing import Any, Self
from urllib.parse import quote, urlencode


@dataclass(frozen=True)
class Watch:
    """A resource, a collection (no `id`), or the ids under a prefix."""

    collection: str
    id: str | None = None
    prefix: str | None = None

    @property
    def label(self) -> str:
        """Its name in frames and in `resource=`."""
        if self.id is not None:
            return f"{self.collection}/{self.id}"
        return self.collection if self.prefix is None else f"{self.collection}?prefix={self.prefix}"

    @property
    def path(self) -> str:
        """The path of its URL, percent-encoded."""
        tail = "" if self.id is None else "/" + quote(self.id, safe="")
        return f"/v1/{quote(self.collection, safe='')}{tail}"

    def covers(self, resource: str) -> bool:
        """Whether the changes of this resource (`collection/id`) are asked for."""
        collection, _, resource_id = resource.partition("/")
        if collection != self.collection:
            return False
        return resource_id == self.id if self.id is not None else resource_id.startswith(self.prefix or "")


@dataclass(frozen=True)
class Ask:
    """A request to watch; None leaves a parameter out."""

    watches: tuple[Watch, ...]
    cursor: str | None = None
    mode: str | None = None
    snapshot: bool | None = None
    since: str | None = None
    format: str | None = None
    at_least: str | None = None

    @property
    def one(self) -> Watch:
        """The watch, where there is one only."""
        (watch,) = self.watches
        return watch

    def resume(self, cursor: str | None) -> Self:
        """The same request, to go on from a cursor."""
        return replace(self, cursor=cursor, snapshot=None, since=None)

    def following(self, transport: str, cursor: str | None) -> Self:
        """What a client of a transport asks next, knowing a cursor: a short poll can only ask for no older state."""
        if cursor is None:
            return self
        return type(self)(self.watches, at_least=cursor) if transport == "shortpoll" else self.resume(cursor)

    def covers(self, resource: str) -> bool:
        """Whether any of its watches asks for this resource."""
        return any(watch.covers(resource) for watch in self.watches)

    def parameters(self) -> list[tuple[str, str]]:
        """The query parameters but for what the path says."""
        named = {name: getattr(self, name) for name in ("cursor", "mode", "since", "format", "at_least")}
        pairs = [(name, value) for name, value in named.items() if value is not None]
        if self.snapshot is not None:
            pairs.append(("snapshot", "true" if self.snapshot else "false"))
        return pairs

    def target(self, suffix: str = "", *, extra: tuple[tuple[str, str], ...] = ()) -> str:
        """Path and query: of the one watch, or of `/v1/watch` for several. `suffix` is `/stream`, `/ws` or `/poll`."""
        pairs = [*self.parameters(), *extra]
        if len(self.watches) == 1:
            path = self.one.path + suffix
            pairs += [("prefix", self.one.prefix)] if self.one.prefix is not None else []
        else:
            path = "/v1/watch" + suffix
            pairs = [("resource", watch.label) for watch in self.watches] + pairs
        return path + ("?" + urlencode(pairs, quote_via=quote) if pairs else "")

    def operations(self) -> list[dict[str, Any]]:
        """The WebSocket operations that ask for the same; `ref` counts from 1."""
        return [self._subscribe(watch) | {"ref": ref} for ref, watch in enumerate(self.watches, 1)]

    def _subscribe(self, watch: Watch) -> dict[str, Any]:
        name = watch.collection if watch.prefix is not None else watch.label
        members = {
            "prefix": watch.prefix,
            "mode": self.mode,
            "snapshot": self.snapshot,
            "cursor": self.cursor,
            "since": self.since,
        }
        given = {member: value for member, value in members.items() if value is not None}
        return {"op": "subscribe", "watch": name, **given}
