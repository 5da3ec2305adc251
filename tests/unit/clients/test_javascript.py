"""The JavaScript client's own tests, which `node --test` runs."""

import asyncio
import shutil
from pathlib import Path
from typing import Final

import pytest

PACKAGE: Final = Path(__file__).parents[3] / "clients/js"
_WITHIN_S: Final = 120


async def run(*command: str) -> tuple[int | None, str]:
    """What a command in the package's folder returns and says."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=PACKAGE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(_WITHIN_S):
        said, _ = await process.communicate()
    return process.returncode, said.decode(errors="replace")


@pytest.fixture(autouse=True)
def node() -> None:
    if shutil.which("node") is None or not (PACKAGE / "node_modules").is_dir():
        pytest.skip("needs Node and the packages of clients/js (infra/setup/node.sh)")


async def test_its_own_tests_pass() -> None:
    returned, said = await run("node", "--test", "--test-reporter=spec", "tests/")
    assert returned == 0, said


async def test_its_types_hold() -> None:
    returned, said = await run("npm", "run", "--silent", "check")
    assert returned == 0, said
