"""`python -m load.bench [SCENARIO ...] [--runs 3] [--quick] [--out FOLDER]`, and `python -m load.bench report`."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console

from load.bench.catalogue import SCENARIOS
from load.bench.cores import SHARED, raise_file_limit
from load.bench.picture import picture
from load.bench.report import write_report
from load.bench.result import Result, read_results
from load.bench.rig import rigged
from load.bench.session import Failure, Session
from load.bench.table import terminal_table
from tests.support.broker_choice import choose_broker

_RESULTS: Final = Path("load/results")
_DOCUMENT: Final = Path("docs/performance.md")
_FILES_NEEDED: Final = 19_000
_FILE_COLUMNS: Final = 150


def main(arguments: Sequence[str] | None = None) -> int:
    """Do as the command line says; returns the exit status, 1 when a run was broken."""
    options = _parser().parse_args(arguments)
    if options.scenarios == ["report"]:
        write_report(_DOCUMENT, read_results(options.out or _RESULTS), options.out or _RESULTS)
        return 0
    unknown = set(options.scenarios) - set(SCENARIOS)
    if unknown:
        _parser().error(f"no such scenario: {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    # What aiokafka says while a topic is young is neither progress nor result.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    failures = asyncio.run(_measure(options, _console()))
    for failure in failures:
        sys.stderr.write(f"{failure.scenario.name}: its figures mean nothing. {failure.why}\n")
    return 1 if failures else 0


async def _measure(options: argparse.Namespace, console: Console) -> list[Failure]:
    _warn(console)
    folder = options.out or (None if options.quick else _RESULTS)
    done: list[Result] = []
    failures: list[Failure] = []
    choice = choose_broker()
    async with choice.broker as broker, rigged(broker, quick=options.quick) as rig:
        console.print(f"Kafka: {broker.describe()}; the floor is a loop in {rig.floor.language}.")
        scenarios = [SCENARIOS[name] for name in options.scenarios or SCENARIOS]
        async for outcome in Session(rig, options.runs, console).outcomes(scenarios):
            if isinstance(outcome, Failure):
                failures.append(outcome)
                continue
            done.append(outcome)
            if folder is not None:
                _write(outcome, folder)
    console.print(terminal_table(done))
    return failures


def _console() -> Console:
    """A terminal as wide as it is; a file as wide as the table."""
    console = Console()
    return console if console.is_terminal else Console(width=_FILE_COLUMNS)


def _write(result: Result, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    result.write(folder)
    (folder / f"{result.scenario.name}.svg").write_text(picture(result))


def _warn(console: Console) -> None:
    if SHARED:
        console.print("There is one core only: the server shares it with its readers, and every figure is too high.")
    files = raise_file_limit()
    if files < _FILES_NEEDED:
        console.print(f"A process may have {files} files open here: `idle` needs {_FILES_NEEDED}.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m load.bench", description=__doc__)
    parser.add_argument("scenarios", nargs="*", help=f"of {', '.join(SCENARIOS)}; all when left out; or `report`")
    parser.add_argument("--runs", type=int, default=3, help="of each scenario; the median counts")
    parser.add_argument(
        "--quick", action="store_true", help="seconds in all: shows that it works, and measures nothing"
    )
    parser.add_argument("--out", type=Path, help=f"a folder; {_RESULTS} when left out, none with --quick")
    return parser


if __name__ == "__main__":
    sys.exit(main())
