"""The README of the Python client: what it shows runs as it stands."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from infra.cluster.deadline import until
from infra.cluster.process import ROOT
from tests.e2e.conftest import Demo

README: Final = (ROOT / "clients" / "python" / "README.md").read_text(encoding="utf-8")
PROGRAMS: Final = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
DEMO: Final = "http://127.0.0.1:8080"
ENDLESS: Final = "async for"


def start(program: str, demo: Demo, folder: Path) -> subprocess.Popen[bytes]:
    file = folder / "program.py"
    file.write_text(program.replace(DEMO, demo.url), encoding="utf-8")
    with (folder / "out").open("wb") as out:
        return subprocess.Popen([sys.executable, "-u", str(file)], cwd=folder, stdout=out, stderr=subprocess.STDOUT)


def test_it_shows_a_watch_a_store_and_a_script() -> None:
    assert len(PROGRAMS) == 3
    for program, word in zip(PROGRAMS, ("client.watch(", "client.store(", "SyncClient"), strict=True):
        assert word in program


@pytest.mark.parametrize("program", PROGRAMS, ids=["watch", "store", "script"])
async def test_its_programs_run_as_they_are(program: str, demo: Demo, tmp_path: Path) -> None:
    running = start(program, demo, tmp_path)

    def said() -> str:
        return (tmp_path / "out").read_text()

    async def enough() -> bool:
        return len(said().splitlines()) >= (15 if "watch(" in program else 4)

    async def over() -> bool:
        return running.poll() is not None

    try:
        if ENDLESS in program:
            await until(enough, f"it prints changes: {said()}", within_s=20)
        else:
            await until(over, "it has ended", within_s=20)
            assert running.returncode == 0, said()
            assert said() == "{'text': 'Hello'}\n"
        assert "Traceback" not in said()
    finally:
        running.kill()
        await asyncio.to_thread(running.wait)
