"""`python -m load.sizing --watchers 1000000 --changes 1000 ...`: the push servers that a load takes.

`python -m load.sizing report` writes tables and answers into docs/scaling.md.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from load.bench.figures import shown
from load.sizing.document import DOCUMENT, RESULTS, written
from load.sizing.fleet import BUSY, Fleet, Load, fleet_for
from load.sizing.prices import Prices


def main(arguments: Sequence[str] | None = None) -> int:
    """Print it, a line for each figure; the exit status is 1 where one set of servers can't do it."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments == ["report"]:
        DOCUMENT.write_text(written(DOCUMENT.read_text(), RESULTS, answer))
        return 0
    answered, lines = answer(arguments)
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if answered else 1


def answer(arguments: Sequence[str]) -> tuple[bool, list[str]]:
    """Whether one set of servers can do it, and what to say of that."""
    options = _parser().parse_args(arguments)
    load = Load(
        watchers=options.watchers,
        changes_per_s=options.changes,
        fan_out=options.fan_out,
        widest=options.widest or round(options.fan_out),
        resources=options.resources,
        value_bytes=options.value_bytes,
    )
    fleet = fleet_for(load, Prices.read(options.results))
    return fleet.servers > 0, _lines(fleet)


def _lines(fleet: Fleet) -> list[str]:
    if not fleet.servers:
        return [
            f"Reading alone takes {fleet.ingest:.0%} of a core on every server, and {BUSY:.0%} is the most it should.",
            "Split the collections over pools of servers.",
        ]
    shares = f"{fleet.ingest:.0%} reading, {fleet.deliveries:.0%} deliveries and bookmarks"
    return [
        f"push servers          {shown(fleet.servers)}  (asked for by {fleet.why})",
        f"a core's share, each  {fleet.ingest + fleet.deliveries:.0%}: {shares}",
        f"memory, each          {shown(fleet.memory_bytes / 1e6)} MB",
        f"from Kafka, over all  {shown(fleet.egress_bytes_per_s / 1e6)} MB/s",
        f"if one dies           {shown(fleet.reconnect_s)} s of each other server's core to take its watchers in",
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m load.sizing", description=__doc__)
    parser.add_argument("--watchers", type=int, required=True, help="connections, over all")
    parser.add_argument("--changes", type=float, required=True, help="changes a second, over all collections")
    parser.add_argument("--fan-out", type=float, default=1.0, help="how many watchers a change has, on average")
    parser.add_argument("--widest", type=int, help="how many the most watched one has; the average when left out")
    parser.add_argument("--resources", type=int, default=100_000, help="resources, over all collections")
    parser.add_argument("--value-bytes", type=int, default=200, help="of a value, on average")
    parser.add_argument("--results", type=Path, default=RESULTS, help="what `make bench` has written")
    return parser


if __name__ == "__main__":
    sys.exit(main())
