"""One test's corner of the shared fleet: resources of its own, what was written to them, and who watches."""

import asyncio
import contextlib
import itertools
import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from infra.cluster.service import Service
from tests.conformance.matrix import Case
from tests.support.client import Ask, Http, Refused, Watch, Watcher, Writer, Written, open_watch
from tests.support.fleet import Fleet
from tests.support.recording import Entry, Frame, Recording

COLLECTION: Final = "items"
_numbers = itertools.count()

State = Mapping[str, tuple[int, Any]]
"""Version and data of every resource that is there."""


class Change(NamedTuple):
    """One acknowledged write; `data` means nothing where `deleted`."""

    resource: str
    written: Written
    data: Any = None
    deleted: bool = False

    @property
    def version(self) -> int:
        """The version that the producer answered."""
        return self.written.version


class Scene:
    """Everything that a test of a guarantee does; closes its watchers at the end."""

    def __init__(self, fleet: Fleet, writer: Writer, case: Case) -> None:
        self.fleet = fleet
        self.writer = writer
        self.case = case
        self.name = f"t{next(_numbers)}{secrets.token_hex(2)}"
        self.changes: list[Change] = []
        self._values = itertools.count(1)
        self._watchers: list[Watcher] = []

    @property
    def here(self) -> Service:
        """The push server that a test watches first."""
        return self.fleet.servers[0]

    @property
    def there(self) -> Service:
        """The other one."""
        return self.fleet.servers[1]

    @property
    def watch(self) -> Watch:
        """What the case watches."""
        kinds = {
            "resource": Watch(COLLECTION, f"{self.name}-0"),
            "collection": Watch(COLLECTION),
            "prefix": Watch(COLLECTION, prefix=f"{self.name}-"),
        }
        return kinds[self.case.kind]

    @property
    def resources(self) -> list[str]:
        """The resources of this test within the watch."""
        return [self.resource(number) for number in range(1 if self.case.kind == "resource" else 3)]

    def resource(self, number: int) -> str:
        """One resource of this test; number 0 is within every kind of watch."""
        return f"{COLLECTION}/{self.name}-{number}"

    @property
    def outsider(self) -> str:
        """A resource of this test which only a watch of the collection covers."""
        return f"{COLLECTION}/x{self.name}"

    def ask(self, **parameters: Any) -> Ask:
        """The request of the case."""
        mode = None if self.case.mode == "state" else self.case.mode
        return Ask((self.watch,), mode=mode, **parameters)

    async def open(
        self, server: Service | None = None, *, transport: str | None = None, ask: Ask | None = None, **parameters: Any
    ) -> Watcher:
        """Watch as the case says, but for what is given."""
        url = (server or self.here).url
        watcher = await open_watch(transport or self.case.transport, url, ask or self.ask(**parameters))
        self._watchers.append(watcher)
        return watcher

    async def put(self, resource: str, data: Any = None) -> Change:
        """Write a new value, by default one that was never written before."""
        data = {"n": next(self._values)} if data is None else data
        written = await self.writer.put(resource, data)
        return self._note(Change(resource, written, data))

    async def put_all(self) -> list[Change]:
        """Write to every resource of the watch, and to the outsider."""
        return [await self.put(resource) for resource in (*self.resources, self.outsider)]

    async def delete(self, resource: str) -> Change:
        """Delete a resource."""
        return self._note(Change(resource, await self.writer.delete(resource), deleted=True))

    async def burst(self, rounds: int) -> None:
        """Many writes in one request: puts, and in the middle of them deletes."""
        items: list[dict[str, Any]] = []
        for number in range(rounds):
            deleted = number == rounds // 2
            items += [self._item(resource, deleted=deleted) for resource in self.resources]
        written = await self.writer.post(COLLECTION, items)
        for item, result in zip(items, written, strict=True):
            self._note(Change(result.resource, result, item.get("data"), "delete" in item))

    async def applied(self, *servers: Service) -> None:
        """Return when these servers (both, where none is named) have applied every write of this test."""
        newest = {change.resource: change for change in self.changes}
        for server in servers or (self.here, self.there):
            async with Http(server.url) as http:
                await asyncio.gather(*(_applied(http, _one(name), each.written) for name, each in newest.items()))

    async def newest_cursor(self) -> str:
        """A cursor of the case's watch that covers every write of this test, from the first server."""
        await self.applied(self.here)
        watcher = await self.open(transport="websocket")
        await watcher.wait_synced()
        assert watcher.cursor
        return watcher.cursor

    async def write_elsewhere(self, resource: str, data: Any) -> Written:
        """Write to another collection, and return when both servers have applied it."""
        written = await self.writer.put(resource, data)
        for server in (self.here, self.there):
            async with Http(server.url) as http:
                await _applied(http, _one(resource), written)
        return written

    async def refused(self, server: Service | None = None, *, ask: Ask | None = None, **parameters: Any) -> Frame:
        """The problem with which a watch is refused, before its first byte or in its first frame."""
        try:
            watcher = await self.open(server, ask=ask, **parameters)
        except Refused as refused:
            return refused.problem
        return await watcher.wait_for(lambda frame: bool(frame["event"] == "problem"))

    def state(self) -> State:
        """What is there now, within the watch."""
        newest = {change.resource: change for change in self.changes}
        return {
            name: (change.version, change.data)
            for name, change in newest.items()
            if not change.deleted and self.watch.covers(name)
        }

    def written_since(self, start: int) -> set[tuple[str, int]]:
        """Resource and version of every change within the watch, from number `start` on."""
        return {(c.resource, c.version) for c in self.changes[start:] if self.watch.covers(c.resource)}

    def newest_since(self, start: int) -> set[tuple[str, int]]:
        """The last of them for each resource."""
        return set({resource: (resource, version) for resource, version in self._in_order(start)}.values())

    def mine(self, frames: Iterable[Frame]) -> list[Frame]:
        """The puts and deletes of this test's own resources."""
        names = {change.resource for change in self.changes}
        return [frame for frame in frames if frame.get("resource") in names]

    def own(self, frames: Iterable[Frame]) -> list[Frame]:
        """All frames but the puts and deletes of other tests."""
        names = {change.resource for change in self.changes}
        return [frame for frame in frames if frame.get("resource", next(iter(names))) in names]

    async def sees(self, watcher: Watcher, wanted: set[tuple[str, int]]) -> None:
        """Return when the watcher has got all these; the caller says what it means if it never does."""
        with contextlib.suppress(TimeoutError):
            await watcher.until(lambda seen: wanted <= set(keys(seen.data)), 4)

    async def converged(self, watcher: Watcher, known: State | None = None) -> None:
        """Return when the watcher is synced and knows what is there; `known` is from before its first frame."""

        def same(seen: Recording) -> bool:
            mine = [frame for frame in self.mine(seen.data) if self.watch.covers(frame["resource"])]
            return fold(mine, known) == self.state()

        await watcher.wait_synced()
        await watcher.until(same)
        assert all(watcher.ask.covers(frame["resource"]) for frame in watcher.data), "a frame from outside the watch"

    async def close(self) -> None:
        """Close every watcher that is still open."""
        await asyncio.gather(*(watcher.close() for watcher in self._watchers))

    def _note(self, change: Change) -> Change:
        self.changes.append(change)
        return change

    def _item(self, resource: str, *, deleted: bool) -> dict[str, Any]:
        name = {"id": resource.partition("/")[2]}
        return name | ({"delete": True} if deleted else {"data": {"n": next(self._values)}})

    def _in_order(self, start: int) -> list[tuple[str, int]]:
        return [(c.resource, c.version) for c in self.changes[start:] if self.watch.covers(c.resource)]


def fold(frames: Iterable[Frame], known: State | None = None) -> State:
    """What a client is left with."""
    state: dict[str, tuple[int, Any]] = dict(known or {})
    for frame in frames:
        if frame["event"] == "put":
            state[frame["resource"]] = (int(frame["version"]), frame["data"])
        else:
            state.pop(frame["resource"], None)
    return state


def keys(frames: Iterable[Frame]) -> list[tuple[str, int]]:
    """Resource and version of puts and deletes."""
    return [(frame["resource"], int(frame["version"])) for frame in frames]


def assert_ordered(frames: Iterable[Frame]) -> None:
    """Versions of one resource strictly increase."""
    versions: dict[str, list[int]] = defaultdict(list)
    for frame in frames:
        if "version" in frame:
            versions[frame["resource"]].append(int(frame["version"]))
    for resource, seen in versions.items():
        assert seen == sorted(set(seen)), (resource, seen)


def uncovered(entries: list[Entry]) -> set[tuple[str, int]]:
    """What came after the last cursor: a resume from that cursor may repeat it."""
    last = max((index for index, entry in enumerate(entries) if entry.cursor), default=-1)
    return set(keys(e.frame for e in entries[last + 1 :] if e.frame and "resource" in e.frame))


def _one(resource: str) -> Watch:
    collection, _, resource_id = resource.partition("/")
    return Watch(collection, resource_id)


async def _applied(http: Http, watch: Watch, written: Written) -> None:
    answer = await http.get(Ask((watch,), at_least=written.cursor).target())
    assert answer.status in {200, 404}, (answer.status, answer.body)
