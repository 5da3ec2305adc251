"""`python -m tests.hostile.fuzz`: a table of how many inputs were tried; exit status 1 with the input that failed."""

import argparse
import logging
import secrets
import sys
from collections.abc import Callable

import uvloop

from tests.hostile.fuzz.catalogue import CATALOGUE, LIVE
from tests.hostile.fuzz.live import LiveTarget, play_live
from tests.hostile.fuzz.target import HEADING, Row, Target, play


def main() -> int:
    """Fuzz everything; returns the exit status."""
    asked = _arguments()
    # Each refusal is worth a line to an operator, and a million of them nothing here.
    logging.disable(logging.WARNING)
    print(f"seed {asked.seed}", HEADING, sep="\n", flush=True)
    failures: list[str] = []

    def show(row: Row) -> None:
        print(row, flush=True)
        failures.extend(row.failures)

    _play(asked, show)
    for failure in failures:
        print(f"FAILED: {failure}", file=sys.stderr)
    return 1 if failures else 0


def _play(asked: argparse.Namespace, show: Callable[[Row], None]) -> None:
    for entry in CATALOGUE:
        if _wanted(asked, entry.make):
            inputs = max(1, int(asked.inputs * entry.share))
            show(play(entry.make(), seed=asked.seed, inputs=inputs, seconds=asked.seconds))
    targets = [(entry.make, max(1, int(asked.inputs * entry.share))) for entry in LIVE if _wanted(asked, entry.make)]
    if targets:
        uvloop.run(play_live(targets, seed=asked.seed, seconds=asked.seconds, show=show))


def _wanted(asked: argparse.Namespace, make: type[Target | LiveTarget]) -> bool:
    return not asked.targets or any(word in make.name for word in asked.targets)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", help="words of the names of some; all where there are none")
    parser.add_argument("--inputs", type=int, default=1_000_000, help="of what reads bytes; others have a share of it")
    parser.add_argument("--seconds", type=float, default=3600, help="at most, for each target")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32), help="the same inputs as that run")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
