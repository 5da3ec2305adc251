"""docs/scaling.md: its tables, and what the commands in it answer."""

import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from load.bench.figures import shown
from load.bench.result import Result
from load.bench.table import markdown_table
from load.sizing.prices import Prices

_ROOT: Final = Path(__file__).parents[2]
DOCUMENT: Final = _ROOT / "docs" / "scaling.md"
RESULTS: Final = _ROOT / "load" / "results"
_TABLE: Final = re.compile(r"(<!-- table (\w+): begin -->\n).*?(<!-- table \2: end -->)", re.DOTALL)
_COMMAND: Final = re.compile(r"^(\$ \S+ -m load\.sizing (.+)\n)(?:.*\n)*?(?=```)", re.MULTILINE)

Answer = Callable[[Sequence[str]], tuple[bool, list[str]]]


def written(text: str, results: Path, answer: Answer) -> str:
    """The document with its tables and answers as the results have them."""
    tables = {"servers": markdown_table([Result.read(results / "servers.json")]), "prices": _prices(results)}
    text = _TABLE.sub(lambda found: f"{found[1]}\n{tables[found[2]]}\n\n{found[3]}", text)

    def answered(command: re.Match[str]) -> str:
        _, lines = answer([*shlex.split(command[2]), "--results", str(results)])
        return command[1] + "".join(f"{line}\n" for line in lines)

    return _COMMAND.sub(answered, text)


def _prices(results: Path) -> str:
    prices = Prices.read(results)
    rows = [
        ("`ingest(0)`", f"{prices.idle_server:.1%} of a core"),
        ("`ingest(2 500)`", f"{prices.ingest(2500):.0%}; {shown(prices.record_paced * 1e6)} µs a record"),
        ("`ingest(10 000)`", f"{prices.ingest(10_000):.0%}; {shown(prices.record_busy * 1e6)} µs a record"),
        ("and each record/s more", f"{shown(prices.record * 1e6)} µs"),
        ("reading has half a core at", f"{shown(prices.rate_of(0.5))} records/s"),
        ("reading has a whole core at", f"{shown(prices.rate_of(1.0))} records/s"),
        ("`delivery`", f"{shown(prices.delivery * 1e6)} µs"),
        ("`handshake`", f"{shown(prices.handshake * 1e6)} µs"),
        ("`bookmark`", f"{prices.idle_connection * 1000:.2%} of a core for 1 000 connections"),
        ("`empty`", f"{shown(prices.empty_bytes / 1e6)} MB"),
        ("`resource`", f"{shown(prices.resource_bytes)} B"),
        ("`connection`", f"{shown(prices.connection_bytes / 1024)} KB"),
        ("`overhead`", f"{shown(prices.record_overhead_bytes)} B"),
    ]
    return "\n".join(["| price | measured |", "|---|---|", *(f"| {name} | {price} |" for name, price in rows)])
