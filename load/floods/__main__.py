"""`python -m load.floods [ATTACK ...] [--watchers 500] [--seconds 10] [--per-s N]`."""

import argparse
import asyncio
import logging
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import uvloop

from load.bench.cores import SHARED, raise_file_limit
from load.bench.verdict import Broken
from load.floods.attacks import PLANS
from load.floods.row import TARGET, Row, markdown
from load.floods.siege import Scale, siege
from load.floods.stronghold import stronghold
from tests.support.broker_choice import choose_broker


def main(arguments: Sequence[str] | None = None) -> int:
    """Do as the command line says; returns the exit status, 1 when a healthy watcher lost its connection."""
    options = _parser().parse_args(arguments)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    raise_file_limit()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            rows = runner.run(_attack(options))
        except Broken as broken:
            sys.stderr.write(f"BROKEN: {broken}\n")
            return 1
    print(markdown(rows))
    over = [row.attack for row in rows if row.ratio > TARGET]
    print(
        f"target: p99 at most {TARGET:g} times that without an attack; "
        + (f"missed: {', '.join(over)}" if over else "met")
    )
    return 0


async def _attack(options: argparse.Namespace) -> list[Row]:
    choice = choose_broker()
    scale = Scale(options.seconds, options.warm_s, options.per_s)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="watchroute-floods-") as folder:
        async with choice.broker as broker, stronghold(broker, Path(folder), options.watchers) as hold:
            cores = f"{os.cpu_count()} cores{', of which the server has none alone' if SHARED else ''}"
            print(f"{cores}; load average {os.getloadavg()[0]:.1f}; {broker.describe()}")
            async for row in siege(hold, options.attacks or list(PLANS), scale):
                rows.append(row)
                print(" | ".join(row.cells()), flush=True)
    return rows


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m load.floods", description=__doc__)
    parser.add_argument("attacks", nargs="*", help="; ".join(f"{name}: {plan.what}" for name, plan in PLANS.items()))
    parser.add_argument("--watchers", type=int, default=500, help="half over WebSocket, half over event streams")
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement")
    parser.add_argument("--warm-s", type=float, default=3, help="how long an attack goes on before it is measured")
    parser.add_argument(
        "--per-s", type=float, help="attempts of the attacker in a second, in place of each attack's own"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
