"""`idle`: what a connection costs that is told nothing but bookmarks."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

from load.bench.figures import Figure, Figures, at_most
from load.bench.ground import Ground
from load.bench.rig import Rig
from load.bench.scenario import Scenario, target_of
from load.bench.server import Server, serving
from load.bench.watchers import Watchers, check_alive, watching

_KINDS: Final = ("ws", "sse")
_INTERVAL_S: Final = 15.0
_QUICK_INTERVAL_S: Final = 0.5
_EARLIEST: Final = 0.8
"""Of an interval: when the first bookmarks come."""


class Idle(Scenario):
    """9 000 connections with one watch each, over each of two transports, on a server of its own."""

    name = "idle"
    what = "9 000 WebSockets, and 9 000 event streams, each with a watch of its own; nothing happens but bookmarks"
    figures = (
        Figure("ws_rss_kb", "memory of a WebSocket", "KB", at_most(3, then=2.5)),
        Figure("sse_rss_kb", "memory of an event stream", "KB", at_most(3, then=2.5)),
        Figure("ws_empty_mb", "memory of a server without connections or resources", "MB"),
        Figure("ws_core_percent", "a core's share for 1 000 WebSockets", "%", at_most(1)),
        Figure("sse_core_percent", "a core's share for 1 000 event streams", "%", at_most(1)),
    )

    async def runs(self, rig: Rig) -> AsyncGenerator[Figures, None]:
        """One run is two fresh servers, and one revolution of their bookmarks."""
        # Nothing is read and nobody was there before: neither leaves a heap with room that would hide what they cost.
        count, ground = rig.size(9000, 100), await rig.ground("stocks")
        interval_s = _QUICK_INTERVAL_S if rig.quick else _INTERVAL_S
        while True:
            async with watching() as watchers:
                measured = [_measure(watchers, ground, kind, count, interval_s) for kind in _KINDS]
                ws, sse = await asyncio.gather(*measured)
            yield {**ws, **sse}


async def _measure(watchers: Watchers, ground: Ground, kind: str, count: int, interval_s: float) -> Figures:
    async with serving(ground, bookmark_interval_s=interval_s) as server:
        before = server.rss_bytes()
        group = await watchers.open(server.port, kind, target_of(kind, "stocks/R{n}"), count)
        await asyncio.sleep(interval_s * _EARLIEST)
        busy = await _core(server, interval_s)
        rss = server.rss_bytes() - before
        check_alive(await group.status(), f"{count} idle connections")
    return {
        f"{kind}_connections": count,
        f"{kind}_empty_mb": before / 1e6,
        f"{kind}_rss_kb": rss / 1024 / count,
        f"{kind}_core_percent": busy * 100 / (count / 1000),
    }


async def _core(server: Server, seconds: float) -> float:
    """The share of a core that it uses meanwhile."""
    before = server.usage()
    await asyncio.sleep(seconds)
    after = server.usage()
    return (after.cpu_s - before.cpu_s) / (after.at_s - before.at_s)
