"""`mixed`: every transport at once."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final

from load.bench.figures import Figure, Figures
from load.bench.meter import Meter
from load.bench.plan import Plan
from load.bench.rig import Rig
from load.bench.scenario import Scenario, staged, target_of
from load.bench.server import Server
from load.bench.verdict import Broken, check_counts, check_order
from load.bench.watchers import Group

_ID: Final = "S0"
_PER_S: Final = 10
_KINDS: Final = ("ws", "sse", "poll")


class Mixed(Scenario):
    """A third each of WebSocket, event stream and long poll, on one resource."""

    name = "mixed"
    what = "100 WebSockets, 100 event streams and 100 long polls of one resource, 10 changes/s"
    figures = (
        Figure("cpu_us_per_delivery", "CPU of a delivery, over all", "µs"),
        *(Figure(f"{kind}_p99_ms", f"p99 from publishing to client, {kind}", "ms") for kind in _KINDS),
        Figure("core", "the server's core in use"),
        Figure("readers_core", "the readers' core in use"),
        Figure("others_cores", "cores used by broker, publisher and all else"),
    )

    async def runs(self, rig: Rig) -> AsyncGenerator[Figures, None]:
        """One run is six seconds of changes."""
        each, ground = rig.size(100, 8), await rig.ground("stocks")
        topic, plan = ground.topic("stocks"), Plan([_ID], rig.size(60, 6))
        await rig.load(topic, [_ID])
        async with staged(rig, ground) as (server, watchers):
            groups = {
                kind: await watchers.open(
                    server.port, kind, target_of(kind, f"stocks/{_ID}"), each, sample_every=4, window=each
                )
                for kind in _KINDS
            }
            while True:
                yield await _deliver(rig, topic, plan, server, groups, each)


async def _deliver(rig: Rig, topic: str, plan: Plan, server: Server, groups: Mapping[str, Group], each: int) -> Figures:
    meter = Meter(server, groups["ws"].pid)
    for group in groups.values():
        await group.begin()
    await meter.start()
    await rig.publisher.paced(topic, plan, _PER_S)
    waited = await asyncio.gather(*(group.wait(each) for group in groups.values()))
    statuses = dict(zip(groups, waited, strict=True))
    figures = await meter.stop()
    findings = {kind: await group.judge() for kind, group in groups.items()}
    _check(statuses, findings, plan.changes * each, each)
    received = sum(status["received"] for status in waited)
    return {
        **figures,
        "received": received,
        "cpu_us_per_delivery": figures["cpu_s"] * 1e6 / received,
        **{f"{kind}_{key}": found[key] for kind, found in findings.items() for key in ("p50_ms", "p99_ms")},
    }


def _check(
    statuses: Mapping[str, Mapping[str, Any]], findings: Mapping[str, Mapping[str, Any]], expected: int, each: int
) -> None:
    """A poll is told the newest value only, whatever it missed between two requests; streams miss nothing."""
    for kind in ("ws", "sse"):
        check_counts(statuses[kind], deliveries=expected, elided=0, connections=each, ends=each)
        check_order(findings[kind], elided=0)
    check_order(findings["poll"], elided=expected)
    if not each <= statuses["poll"]["received"] <= expected or statuses["poll"]["fewest_ends"] != 1:
        raise Broken(f"polls: {dict(statuses['poll'])}")
