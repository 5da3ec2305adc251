"""`boot`: how soon a server is ready that has much to read."""

from collections.abc import AsyncGenerator

from load.bench.figures import Figure, Figures, at_least, at_most
from load.bench.rig import Rig
from load.bench.scenario import Scenario
from load.bench.server import serving
from load.bench.specimen import VALUE_BYTES
from load.bench.verdict import Broken


class Boot(Scenario):
    """From the launch of the process until it is ready with 1 000 000 resources."""

    name = "boot"
    what = "from the launch of the process until it is ready with 1 000 000 resources"
    figures = (
        Figure("records_per_s", "records/s, the start of the process included", "/s", at_least(150_000)),
        Figure("bytes_per_resource", "memory of a resource, without its value", "B", at_most(400)),
        Figure("ready_s", "until it is ready", "s"),
        Figure("empty_s", "until it is ready with nothing to read", "s"),
    )

    async def runs(self, rig: Rig) -> AsyncGenerator[Figures, None]:
        """One run is one launch."""
        count = len(rig.ledger_ids)
        ledger = await rig.ledger()
        async with serving(await rig.ground("ledger")) as empty:
            empty_s, empty_rss = empty.ready_s, empty.rss_bytes()
        while True:
            async with serving(ledger) as server:
                ready_s, rss, totals = server.ready_s, server.rss_bytes(), await server.totals()
            if totals["resources"] != count:
                raise Broken(f"{count} resources were to be held: {totals['resources']}")
            yield {
                "resources": count,
                "records": totals["records_total"],
                "records_per_s": totals["records_total"] / ready_s,
                "ready_s": ready_s,
                "empty_s": empty_s,
                "bytes_per_resource": (rss - empty_rss) / count - VALUE_BYTES,
            }
