"""Every `curl` of the README that needs no Docker works as it is written, against a demo."""

import asyncio
import re
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import pytest

from tests.e2e.conftest import Demo
from tests.support.fleet import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
# What goes through the front door of compose needs Docker; tests/integration/test_front_door.py does the like.
BLOCKS = [
    block
    for block in re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    if "curl" in block and "docker" not in block
]
STREAM_S = 2
ENDED, TIME_IS_OVER = 0, 28

# Streams have no end: each curl gets some time, and its status is noted. An HTTP error is a failure.
_PRELUDE = """
curl() {
    command curl --silent --fail-with-body --max-time %d "$@"; set -- "$?" "$*"
    echo "$1 $2" >>"$STATUSES"
}
"""


def test_the_readme_shows_how_to_publish_read_watch_poll_and_resume() -> None:
    text = "".join(BLOCKS)
    assert len(BLOCKS) >= 5
    for word in ("-X PUT", "-X DELETE", "-X POST", "/stream", "/poll", "cursor=$CURSOR", "Last-Event-ID"):
        assert word in text


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.splitlines()[-1][:60])
async def test_the_lines_of_the_readme_work_as_written(demo: Demo, tmp_path: Path, block: str) -> None:
    statuses = tmp_path / "statuses"
    script = _PRELUDE % STREAM_S + block.replace("127.0.0.1:8080", demo.url.removeprefix("http://"))
    shell = await asyncio.create_subprocess_exec(
        "bash",
        "-c",
        script,
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "STATUSES": str(statuses)},
        stdout=PIPE,
        stderr=STDOUT,
    )
    output, _ = await asyncio.wait_for(shell.communicate(), 60)
    noted = re.findall(r"^(\d+) (.*)$", statuses.read_text(), re.MULTILINE)
    ends = [(int(status), line.startswith("-N ")) for status, line in noted]
    assert len(ends) == block.count("curl ")
    for status, streams in ends:
        assert status == (TIME_IS_OVER if streams else ENDED), output.decode()
    if "-N" in block:
        assert b"event: synced" in output
    assert b"urn:watchroute:problem" not in output
