"""The README's blocks of commands, and what a shell makes of them."""

import asyncio
import re
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path
from typing import Final

from infra.cluster.process import ROOT

README: Final = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS: Final = [
    block for block in re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL) if "curl " in block
]
"""Those that talk to a server."""
_STREAM_S: Final = 2
_ENDED, _TIME_IS_OVER = 0, 28

# Streams have no end: each curl gets some time, and its status is noted. An HTTP error is a failure.
_PRELUDE: Final = """
curl() {
    command curl --silent --fail-with-body --max-time %d "$@"; set -- "$?" "$*"
    echo "$1 $2" >>"$STATUSES"
}
"""


async def check_block(block: str, folder: Path) -> bytes:
    """Run a block; fails unless every curl ends well, and every stream goes on. What it printed."""
    statuses = folder / "statuses"
    shell = await asyncio.create_subprocess_exec(
        "bash",
        "-c",
        _PRELUDE % _STREAM_S + block,
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "STATUSES": str(statuses)},
        stdout=PIPE,
        stderr=STDOUT,
    )
    output, _ = await asyncio.wait_for(shell.communicate(), 60)
    noted = re.findall(r"^(\d+) (.*)$", statuses.read_text(), re.MULTILINE)
    ends = [(int(status), " -N " in f" {line}") for status, line in noted]
    assert len(ends) == block.count("curl ")
    for status, streams in ends:
        assert status == (_TIME_IS_OVER if streams else _ENDED), output.decode()
    if "-N" in block:
        assert b"event: synced" in output
    assert b"urn:watchroute:problem" not in output
    return output
