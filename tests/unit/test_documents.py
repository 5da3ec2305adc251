"""The map names what is there, the decisions are listed, and no module has outgrown its noun."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PRODUCT: Final = ("services", "shared", "cli", "clients/python")
MAX_LINES: Final = 300
MAX_FUNCTION_LINES: Final = 40
HOMES: Final = (
    "",
    "services/pushserver",
    "services/pushserver/transports",
    "services/producer",
    "clients/python/watchroute_client",
)
"""The map names the files of a step without repeating the folder of the step before."""


def named_paths() -> Iterator[str]:
    """Every path in backticks of the map."""
    yield from re.findall(r"`([\w./-]+(?:\.py|\.md|\.toml|/))`", (ROOT / "ARCHITECTURE.md").read_text())


def product_modules() -> list[Path]:
    """Every module that is shipped."""
    return sorted(path for folder in PRODUCT for path in (ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("name", sorted(set(named_paths())))
def test_what_the_map_names_is_there(name: str) -> None:
    assert any((ROOT / home / name).exists() for home in HOMES), name


def test_every_decision_is_listed() -> None:
    listed = (ROOT / "docs/adr/README.md").read_text()
    decisions = [path.name for path in (ROOT / "docs/adr").glob("0*.md")]
    assert decisions
    assert [name for name in decisions if name not in listed] == []


def test_no_module_has_outgrown_its_noun() -> None:
    sizes = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in product_modules()}
    assert {name: size for name, size in sizes.items() if size > MAX_LINES} == {}


def test_hardly_a_function_is_long() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in product_modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno > MAX_FUNCTION_LINES
    ]
    assert long == []
