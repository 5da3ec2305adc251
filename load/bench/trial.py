"""One measured delivery: publish, wait until the last reader has the last byte, and judge what they got."""

from collections.abc import Awaitable, Callable

from load.bench.figures import Figures
from load.bench.meter import Meter
from load.bench.plan import Plan
from load.bench.server import Server
from load.bench.specimen import now_ns
from load.bench.verdict import Broken, check_counts, check_order
from load.bench.watchers import Group


async def deliver(
    server: Server,
    group: Group,
    plan: Plan,
    publish: Callable[[], Awaitable[int | None]],
    *,
    readers: int,
    each_watches_all: bool = True,
) -> Figures:
    """Figures of one publishing; raises Broken when a delivery was lost, reordered or doubled.

    Each of the `readers` watches every resource of the plan, or (`each_watches_all=False`) one of them has one of its
    own. What `publish` returns, if anything, is when it began.
    """
    fan_out = readers if each_watches_all else 1
    meter = Meter(server, group.pid)
    await group.begin()
    await meter.start()
    began_ns = now_ns()
    began_ns = await publish() or began_ns
    status = await group.wait(plan.ends * fan_out)
    figures = dict(await meter.stop())
    findings = await group.judge()
    elided = int(figures["elided"])
    deliveries = plan.changes * fan_out
    check_counts(status, deliveries=deliveries, elided=elided, connections=readers, ends=plan.ends * fan_out)
    check_order(findings, elided=elided)
    if figures["deliveries"] != status["received"]:
        raise Broken(f"the server counts {figures['deliveries']} deliveries, the readers {status['received']}")
    seconds = (status["last_ns"] - began_ns) / 1e9
    return {
        **figures,
        "received": status["received"],
        "settled_s": seconds,
        "deliveries_per_s": status["received"] / seconds,
        "cpu_us_per_delivery": figures["cpu_s"] * 1e6 / status["received"],
        "writes_per_delivery": figures["writes"] / status["received"],
        "p50_ms": findings.get("p50_ms", 0.0),
        "p99_ms": findings.get("p99_ms", 0.0),
        "longest_ms": findings["longest_ms"],
    }
