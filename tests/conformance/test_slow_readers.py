"""Guarantee 7, and what becomes of a watcher that does not read: elision in state mode, an end in log mode.

What becomes of one whose network is dead is in `tests/integration/test_dead_peers.py`.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Coroutine
from typing import Any, Final

import pytest

from tests.conformance.scene import assert_ordered, keys
from tests.support.client import Ask, Http, Watch, Writer, Written, open_watch
from tests.support.client_socket import SocketWatcher, connect
from tests.support.client_sse import SlowSseWatcher
from tests.support.client_watcher import SMALL_BUFFER_BYTES
from tests.support.client_websocket import SlowWebSocketWatcher
from tests.support.fleet import Fleet
from tests.support.recording import End, Recording

WIRES: Final = pytest.mark.parametrize("wire", ["ws", "sse"])
RATES: Final = pytest.mark.parametrize("bytes_per_s", [0, 1024], ids=["stopped", "1 KB/s"])
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


@RATES
@WIRES
async def test_row_too_slow_in_state_mode(fleet: Fleet, writer: Writer, wire: str, bytes_per_s: int) -> None:
    """Newest value wins per resource until it drains; every value that was left out is counted."""
    flood, server = Flood(writer), fleet.servers[0]
    await flood.write(1)
    await flood.applied(server.url)
    watcher = await neglectful(wire, server.url, Ask((flood.watch,), snapshot=False))
    before = flood.count
    await neglected(watcher, bytes_per_s, flood.write(4))
    await watcher.read(flood.seen_newest)
    await watcher.read(lambda seen: skipped(seen) + len(seen.data) >= flood.count - before)
    assert skipped(watcher.recording) > 0
    assert skipped(watcher.recording) + len(watcher.recording.data) == flood.count - before, "all that came is live"
    assert_ordered(watcher.recording.frames)
    watcher.close()


@RATES
@WIRES
async def test_row_too_slow_in_log_mode(fleet: Fleet, writer: Writer, wire: str, bytes_per_s: int) -> None:
    """A bounded buffer, then an end with a cursor from which nothing is missing."""
    flood = Flood(writer)
    await flood.write(1)
    await flood.applied(fleet.servers[0].url)
    first = await neglectful(wire, fleet.servers[0].url, Ask((flood.watch,), mode="log", snapshot=False))
    before = flood.all
    await neglected(first, bytes_per_s, flood.write(24))
    cursor = cursor_of_the_end(wire, first.recording, await first.read_to_end(20))
    second = await open_watch("websocket", fleet.servers[1].url, Ask((flood.watch,), mode="log", cursor=cursor))
    await second.until(flood.seen_newest, 20)
    told = [*keys(first.recording.data), *keys(second.data)]
    assert set(told) == flood.all - before
    assert len(first.recording.data) < flood.count - len(before), "it was ended in the middle"
    assert "reset" not in {frame["event"] for frame in second.frames}
    for frames in (first.recording.frames, second.frames):
        assert_ordered(frames)
    await second.close()
    first.close()


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


async def neglectful(wire: str, url: str, ask: Ask) -> SocketWatcher:
    """A watcher that reads when it is told to, and has room for little."""
    return await SocketWatcher.open(await connect(url, buffer_bytes=SMALL_BUFFER_BYTES), wire, ask)


async def neglected(watcher: SocketWatcher, bytes_per_s: int, write: Coroutine[Any, Any, None]) -> None:
    """Read so little while something is written."""
    writing = asyncio.create_task(write)
    if bytes_per_s:
        await watcher.trickle(bytes_per_s, writing.done)
    await writing


def skipped(seen: Recording) -> int:
    """How many values the bookmarks say were left out."""
    return sum(frame["skipped"] for frame in seen.frames if frame["event"] == "bookmark")


def cursor_of_the_end(wire: str, seen: Recording, end: End) -> str | None:
    """Where to go on: the close says it over WebSocket, the last id of the stream over SSE."""
    (problem,) = seen.problems
    assert problem["code"] == "slow"
    if wire == "sse":
        assert end == End(0, "the server ended the stream")
        return seen.cursor
    assert (end.code, end.reason) == (4008, problem["cursor"])
    return end.reason
