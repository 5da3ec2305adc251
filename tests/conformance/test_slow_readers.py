"""Guarantee 7, and what becomes of a watcher that does not read: elision in state mode, an end in log mode."""

import asyncio
import contextlib
import re
import secrets
from typing import Final

import pytest

from tests.conformance.scene import keys
from tests.support.client import Ask, Http, Watch, Watcher, Writer, Written, open_watch
from tests.support.client_sse import SlowSseWatcher
from tests.support.client_websocket import SlowWebSocketWatcher
from tests.support.fleet import Fleet
from tests.support.recording import End, Recording

SLOW: Final = pytest.mark.parametrize("transport", ["websocket_slow", "sse_slow"])
VALUE_BYTES: Final = 8_000
RESOURCES: Final = 8
BATCH: Final = 128
STALLED: Final = 12
MAX_GROWTH_BYTES: Final = 64 * 1024 * 1024


class Flood:
    """Large writes to a few resources of the collection `big`."""

    def __init__(self, writer: Writer, resources: int = RESOURCES) -> None:
        self.writer = writer
        self.resources = resources
        self.name = f"f{secrets.token_hex(3)}"
        self.watch = Watch("big", prefix=self.name)
        self.versions: dict[str, list[int]] = {}
        self._last: dict[str, Written] = {}
        self._filler = "x" * VALUE_BYTES

    @property
    def count(self) -> int:
        """How many records it has written."""
        return sum(map(len, self.versions.values()))

    @property
    def newest(self) -> dict[str, int]:
        """The last version of every resource."""
        return {resource: versions[-1] for resource, versions in self.versions.items()}

    @property
    def all(self) -> set[tuple[str, int]]:
        """Resource and version of every record."""
        return {(resource, version) for resource, versions in self.versions.items() for version in versions}

    async def write(self, batches: int) -> None:
        """So many batches, of a megabyte each."""
        for _ in range(batches):
            numbers = range(self.count, self.count + BATCH)
            items = [{"id": f"{self.name}-{n % self.resources}", "data": self._filler} for n in numbers]
            for result in await self.writer.post("big", items):
                self.versions.setdefault(result.resource, []).append(result.version)
                self._last[result.resource] = result

    async def applied(self, url: str) -> None:
        """Return when a server has applied all of it."""
        async with Http(url) as http:
            for resource, written in self._last.items():
                watch = Watch("big", resource.partition("/")[2])
                assert (await http.get(Ask((watch,), at_least=written.cursor).target())).status == 200

    def seen_newest(self, seen: Recording) -> bool:
        """Whether the newest version of every resource has come."""
        last = {frame["resource"]: int(frame["version"]) for frame in seen.data}
        return last == self.newest


async def stall(transport: str, url: str, ask: Ask) -> SlowSseWatcher | SlowWebSocketWatcher:
    watcher = await open_watch(transport, url, ask)
    assert isinstance(watcher, SlowSseWatcher | SlowWebSocketWatcher)
    await watcher.wait_synced()
    watcher.gate.shut()
    return watcher


@pytest.mark.parametrize("mode", ["state", "log"])
@SLOW
async def test_guarantee_7_isolated(fleet: Fleet, writer: Writer, transport: str, mode: str) -> None:
    """A stalled watcher delays nobody else and costs bounded memory."""
    flood, server = Flood(writer), fleet.servers[0]
    await flood.write(1)
    ask = Ask((flood.watch,), mode=mode)
    before = server.rss_bytes()
    stalled = await asyncio.gather(*(stall(transport, server.url, ask) for _ in range(STALLED)))
    healthy = await open_watch("websocket", server.url, Ask((flood.watch,), mode="log"))
    await healthy.wait_synced()
    await flood.write(8)
    await healthy.until(flood.seen_newest)
    assert server.rss_bytes() - before < MAX_GROWTH_BYTES
    assert len(healthy.data) >= flood.count - BATCH
    await asyncio.gather(healthy.close(), *(watcher.cut() for watcher in stalled))


@SLOW
async def test_row_too_slow_in_state_mode(fleet: Fleet, writer: Writer, transport: str) -> None:
    """Newest value wins per resource until it drains; every value that was left out is counted."""
    flood = Flood(writer)
    await flood.write(1)
    await flood.applied(fleet.servers[0].url)
    watcher = await stall(transport, fleet.servers[0].url, Ask((flood.watch,), snapshot=False))
    before = flood.count
    await flood.write(4)
    watcher.gate.open()
    await watcher.until(flood.seen_newest)
    bookmarks = len([frame for frame in watcher.frames if frame["event"] == "bookmark"])
    await watcher.until(lambda seen: sum(frame["event"] == "bookmark" for frame in seen.frames) > bookmarks + 1)
    skipped = sum(frame["skipped"] for frame in watcher.frames if frame["event"] == "bookmark")
    assert skipped > 0
    assert skipped + len(watcher.data) == flood.count - before, "without a snapshot all that came is live"
    await watcher.close()


@SLOW
async def test_row_too_slow_in_log_mode(fleet: Fleet, writer: Writer, transport: str) -> None:
    """A bounded buffer, then an end with a cursor from which nothing is missing."""
    flood = Flood(writer)
    await flood.write(1)
    first = await stall(transport, fleet.servers[0].url, Ask((flood.watch,), mode="log"))
    before = flood.all
    await flood.write(24)
    first.gate.open()
    end = await first.recording.wait_end(20)
    if transport == "websocket_slow":
        assert end.code == 4008, end
    cursor = last_cursor(first, end)
    second = await open_watch("websocket", fleet.servers[1].url, first.ask.resume(cursor))
    await second.until(flood.seen_newest, 20)
    lost = flood.all - before - set(keys((*first.data, *second.data)))
    assert not lost, f"{len(lost)} of {flood.count} records were lost"
    assert "reset" not in {frame["event"] for frame in second.frames}
    await asyncio.gather(first.close(), second.close())


@pytest.mark.parametrize("mode", ["state", "log"])
@SLOW
async def test_a_slow_reader_that_is_cut_while_it_drains_misses_nothing(
    fleet: Fleet, writer: Writer, transport: str, mode: str
) -> None:
    flood = Flood(writer, resources=3 * BATCH)
    await flood.write(3)
    first = await stall(transport, fleet.servers[0].url, Ask((flood.watch,), mode=mode))
    snapshot, before = len(first.data), flood.all
    await flood.write(5)
    first.gate.open()
    await first.until(lambda seen: len(seen.data) > snapshot + BATCH)
    await first.cut()
    assert len(first.data) < snapshot + flood.count - len(before), "cut in the middle"
    second = await open_watch("websocket", fleet.servers[1].url, first.ask.resume(first.cursor))
    wanted = (flood.all - before if mode == "log" else set(flood.newest.items())) - set(keys(first.data))
    with contextlib.suppress(TimeoutError):
        await second.until(lambda seen: wanted <= set(keys(seen.data)), 5)
    lost = wanted - set(keys(second.data))
    assert not lost, f"{len(lost)} of {flood.count} were lost"
    await second.close()


def last_cursor(watcher: Watcher, end: End) -> str:
    """The cursor of the problem, else that of the close reason, else the last one that came."""
    told = [frame["cursor"] for frame in watcher.frames if frame["event"] == "problem" and frame["code"] == "slow"]
    in_reason = re.findall(r"[A-Za-z0-9_-]{16,}", end.reason) if end.code == 4008 else []
    cursor = next(iter([*told, *in_reason]), watcher.cursor)
    assert cursor
    return cursor
