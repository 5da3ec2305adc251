"""`pauses`: how long the server's event loop is away at a time, with a large table."""

from collections.abc import AsyncGenerator
from typing import Final

from load.bench.figures import Figure, Figures, at_most
from load.bench.plan import Plan
from load.bench.rig import Rig
from load.bench.scenario import Scenario, staged, target_of
from load.bench.trial import deliver
from load.bench.watchers import watching

_PER_S: Final = 2500
_PING_EVERY_S: Final = 0.001
_OWN_METRIC: Final = "loop_pause_seconds"
"""The longest pause that the server itself has seen since the last scrape, where it says so."""


class Pauses(Scenario):
    """`wide` on a table of 1 000 000 resources, while a WebSocket pings without pause."""

    name = "pauses"
    what = "5 000 watchers, 2 500 changes/s, on a table of 1 000 000 resources, while a WebSocket pings every ms"
    figures = (
        Figure("longest_pause_ms", "the longest wait for a pong", "ms", at_most(20)),
        Figure("own_longest_ms", "the longest pause by the server's own account", "ms", at_most(20)),
        Figure("ping_p50_ms", "p50 of the waits", "ms"),
        Figure("p99_ms", "p99 from publishing to client", "ms"),
        Figure("waited_s", "time that it waited for its core", "s"),
    )

    async def runs(self, rig: Rig) -> AsyncGenerator[Figures, None]:
        """One run is eight seconds of changes."""
        readers = rig.size(5000, 50)
        ledger = await rig.ledger()
        topic, plan = ledger.topic("ledger"), Plan(rig.ledger_ids[:readers], rig.size(20_000, 500))
        async with staged(rig, ledger) as (server, watchers), watching() as pinging:
            group = await watchers.open(server.port, "ws", target_of("ws", "ledger/R{n}"), readers, sample_every=10)
            probe = await pinging.probe(server.port, target_of("ws", "ledger/nothing"), _PING_EVERY_S)
            while True:
                await probe.begin()
                figures = await deliver(
                    server,
                    group,
                    plan,
                    lambda: rig.publisher.paced(topic, plan, _PER_S),
                    readers=readers,
                    each_watches_all=False,
                )
                probed, totals = await probe.probed(), await server.totals()
                own = {"own_longest_ms": totals[_OWN_METRIC] * 1000} if _OWN_METRIC in totals else {}
                yield {
                    **figures,
                    **own,
                    "pings": probed["pings"],
                    "longest_pause_ms": probed["longest_ms"],
                    "ping_p50_ms": probed["p50_ms"],
                }
