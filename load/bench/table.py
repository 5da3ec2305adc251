"""Results as rows: of a table on the terminal, and of one in Markdown."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rich.table import Table

from load.bench.figures import Figure, Spread, shown
from load.bench.result import Result

_HEAD = ("scenario", "figure", "median", "lowest – highest", "floor", "target", "met")


class Row(NamedTuple):
    """One figure of one scenario; the empty text where there is nothing to say."""

    scenario: str
    label: str
    median: str
    extremes: str
    floor: str
    target: str
    met: str


def rows(results: Iterable[Result]) -> Iterator[Row]:
    """The rows of all figures that were measured; the name stands at the first row of its scenario."""
    for result in results:
        spreads, name = result.spreads, result.scenario.name
        for figure in result.scenario.figures:
            if figure.key in spreads:
                floor = spreads.get(figure.floor or "")
                yield _row(name, figure, spreads[figure.key], floor)
                name = ""


def _row(name: str, figure: Figure, found: Spread, floor: Spread | None) -> Row:
    target, unit = figure.target, f" {figure.unit}" if figure.unit else ""
    return Row(
        name,
        figure.label,
        shown(found.median) + unit,
        f"{shown(found.lowest)} – {shown(found.highest)}",
        shown(floor.median) + unit if floor else "",
        str(target) if target else "",
        "" if target is None else "yes" if target.met_by(found.median) else "no",
    )


def terminal_table(results: Iterable[Result]) -> Table:
    """For rich to print."""
    table = Table(*_HEAD, title="make bench")
    for row in rows(results):
        table.add_row(*row, style="red" if row.met == "no" else None)
    return table


def markdown_table(results: Iterable[Result]) -> str:
    """For a document."""
    lines = ["| " + " | ".join(_HEAD) + " |", "|" + "---|" * len(_HEAD)]
    lines += ["| " + " | ".join(row) + " |" for row in rows(results)]
    return "\n".join(lines)
