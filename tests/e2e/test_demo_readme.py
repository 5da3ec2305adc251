"""Every `curl` of the README to the demo works as it is written."""

from pathlib import Path

import pytest

from tests.e2e.conftest import Demo
from tests.e2e.readme import BLOCKS, check_block

DEMO = "127.0.0.1:8080"
TO_DEMO = [block for block in BLOCKS if DEMO in block]


def test_the_readme_shows_how_to_publish_read_watch_poll_and_resume() -> None:
    text = "".join(TO_DEMO)
    assert len(TO_DEMO) >= 5
    for word in ("-X PUT", "-X DELETE", "-X POST", "/stream", "/poll", "cursor=$CURSOR", "Last-Event-ID"):
        assert word in text


@pytest.mark.parametrize("block", TO_DEMO, ids=lambda block: block.splitlines()[-1][:60])
async def test_the_lines_of_the_readme_work_as_written(demo: Demo, tmp_path: Path, block: str) -> None:
    await check_block(block.replace(DEMO, demo.url.removeprefix("http://")), tmp_path)
