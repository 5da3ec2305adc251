"""`servers`: what a second push server is worth."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Final, NamedTuple

from load.bench.figures import Figure, Figures, at_most
from load.bench.meter import Meter
from load.bench.plan import Plan
from load.bench.rig import Rig
from load.bench.scenario import Scenario, staged, target_of
from load.bench.server import Server, serving
from load.bench.verdict import check_counts, check_order
from load.bench.watchers import Group, Watchers

_IDS: Final = ("S0", "S1")
_PER_S: Final = 50


Publish = Callable[[], Awaitable[None]]


class Seat(NamedTuple):
    """Watchers of one resource on one server."""

    server: Server
    resource_id: str


class Servers(Scenario):
    """A crowd on one server, two crowds on two, and two crowds on one; every server reads everything.

    The two resources change in turn, 20 ms apart: here the servers share a core, and would do the same at the same
    moment if all watched the same.
    """

    name = "servers"
    what = "1 000 watchers on one server, 2 000 on two and 2 000 on one; two resources, 25 changes/s each"
    figures = (
        Figure("p99_ratio", "p99 of 2 000 on two servers", "× 1 000 on one", at_most(1.25)),
        Figure("one_p99_ms", "p99 from publishing to client, 1 000 on one server", "ms"),
        Figure("two_p99_ms", "p99 from publishing to client, 2 000 on two servers", "ms"),
        Figure("both_p99_ms", "p99 from publishing to client, 2 000 on one server", "ms"),
        Figure("one_core", "a server's core in use, 1 000 on one server"),
        Figure("two_core", "a server's core in use, 2 000 on two servers (the busier one)"),
        Figure("both_core", "the server's core in use, 2 000 on one server"),
    )

    async def runs(self, rig: Rig) -> AsyncGenerator[Figures, None]:
        """One run is three times six seconds of changes."""
        ground = await rig.ground("stocks")
        topic, plan = ground.topic("stocks"), Plan(_IDS, rig.size(300, 10))
        await rig.load(topic, list(_IDS))

        async def publish() -> None:
            await rig.publisher.paced(topic, plan, _PER_S)

        async with staged(rig, ground) as (first, watchers), serving(ground) as second:
            cases = {
                "one": [Seat(first, "S0")],
                "two": [Seat(first, "S0"), Seat(second, "S1")],
                "both": [Seat(first, "S0"), Seat(first, "S1")],
            }
            crowd = rig.size(1000, 20)
            while True:
                figures: dict[str, float] = {}
                for name, seats in cases.items():
                    found = await _measure(watchers, seats, crowd, plan, publish)
                    figures |= {f"{name}_{key}": value for key, value in found.items()}
                yield {**figures, "p99_ratio": figures["two_p99_ms"] / figures["one_p99_ms"]}


async def _measure(watchers: Watchers, seats: Sequence[Seat], crowd: int, plan: Plan, publish: Publish) -> Figures:
    groups = [
        await watchers.open(server.port, "ws", target_of("ws", f"stocks/{resource_id}"), crowd, sample_every=10)
        for server, resource_id in seats
    ]
    try:
        return await _deliver(seats, groups, crowd, plan, publish)
    finally:
        for group in groups:
            await group.close()


async def _deliver(seats: Sequence[Seat], groups: Sequence[Group], crowd: int, plan: Plan, publish: Publish) -> Figures:
    meters = [Meter(server, groups[0].pid) for server in dict.fromkeys(seat.server for seat in seats)]
    for group in groups:
        await group.begin()
    for meter in meters:
        await meter.start()
    await publish()
    statuses = [await group.wait(crowd) for group in groups]
    used = [await meter.stop() for meter in meters]
    findings = [await group.judge() for group in groups]
    for status, found in zip(statuses, findings, strict=True):
        check_counts(status, deliveries=plan.changes // len(_IDS) * crowd, elided=0, connections=crowd, ends=crowd)
        check_order(found, elided=0)
    return {
        "received": sum(status["received"] for status in statuses),
        "core": max(figures["core"] for figures in used),
        "p50_ms": max(found["p50_ms"] for found in findings),
        "p99_ms": max(found["p99_ms"] for found in findings),
    }
