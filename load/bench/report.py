"""The document: the table of what is in the results, written between its two marks."""

from collections.abc import Sequence
from os.path import relpath
from pathlib import Path
from typing import Final

from load.bench.result import Result
from load.bench.table import markdown_table

BEGIN: Final = "<!-- written by `python -m load.bench report`: begin -->"
END: Final = "<!-- end -->"


class MarksMissing(Exception):
    """The document doesn't have both marks, in order."""


def write_report(document: Path, results: Sequence[Result], folder: Path) -> None:
    """Replace what stands between the marks; raises MarksMissing."""
    text = document.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise MarksMissing(f"{document} needs {BEGIN!r} and {END!r}")
    document.write_text(f"{before}{BEGIN}\n\n{_content(document, results, folder)}\n\n{END}{after}")


def _content(document: Path, results: Sequence[Result], folder: Path) -> str:
    if not results:
        return "No results yet."
    pictures = (folder / f"{result.scenario.name}.svg" for result in results)
    shown = [f"![{path.stem}]({relpath(path, document.parent)})" for path in pictures if path.exists()]
    return "\n\n".join([*_provenances(results), markdown_table(results), *shown])


def _provenances(results: Sequence[Result]) -> list[str]:
    """Where each came about; one line for all that were measured in the same place."""
    places: dict[str, list[str]] = {}
    for result in results:
        places.setdefault(_place(result), []).append(f"`{result.scenario.name}`")
    if len(places) == 1:
        return list(places)
    return [f"{', '.join(names)}: {place}" for place, names in places.items()]


def _place(result: Result) -> str:
    found, machine, versions = result.provenance, result.provenance["machine"], result.provenance["versions"]
    libraries = ", ".join(f"{name} {version}" for name, version in versions.items() if name not in {"kafka", "floor"})
    return (
        f"Measured on {found['when'][:10]} at commit `{found['commit']}`: {machine['cpu']}, {machine['cores']} cores, "
        f"{machine['memory_gb']} GB, Linux {machine['kernel']}; {libraries}; Kafka: {versions['kafka']}; "
        f"the floor is a loop in {versions['floor']}; medians of {len(result.runs)} runs."
    )
