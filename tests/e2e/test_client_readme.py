"""The lines of the JavaScript client's README, as written."""

import asyncio
import re
import shutil
from pathlib import Path
from typing import Final

import pytest

from infra.cluster.process import ROOT
from tests.e2e.conftest import Demo

PACKAGE: Final = ROOT / "clients/js"
USUAL: Final = "http://127.0.0.1:8080"
WITHIN_S: Final = 30


def lines() -> str:
    """The one block of JavaScript."""
    (block,) = re.findall(r"```js\n(.*?)```", (PACKAGE / "README.md").read_text(), re.DOTALL)
    return str(block)


async def node(script: str, folder: Path) -> tuple[int | None, str]:
    """What Node makes of a module that stands in a folder."""
    process = await asyncio.create_subprocess_exec(
        "node", "--input-type=module", "--eval", script,
        cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    async with asyncio.timeout(WITHIN_S):
        said, _ = await process.communicate()
    return process.returncode, said.decode()


def test_they_are_ten_or_so() -> None:
    assert lines().count("\n") <= 12


async def test_they_run(demo: Demo) -> None:
    if shutil.which("node") is None:
        pytest.skip("needs Node (infra/setup/node.sh)")
    assert USUAL in lines()
    returned, said = await node(lines().replace(USUAL, demo.url), PACKAGE)
    assert returned == 0, said
    assert re.search(r"^AAPL is at \d+\.\d+$", said, re.MULTILINE), said
    assert "put playground/hello { text: 'Hello' }" in said
