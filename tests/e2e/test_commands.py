"""`watchroute get`, `put` and `watch`, in a pipe and in a terminal."""

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.cluster.process import ROOT
from tests.e2e.command import Command
from tests.e2e.conftest import Demo
from tests.e2e.terminal import COLOUR, Terminal


async def run(demo: Demo, *arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """What a command does in a pipe."""
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "cli", *arguments, "--url", demo.url],
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env=None if not environment else {"PATH": "/usr/bin:/bin", **environment},
    )


async def put(demo: Demo, name: str, data: Any) -> str:
    """Write it; the cursor of the write."""
    done = await run(demo, "put", f"playground/{name}", json.dumps(data))
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[-1]


async def test_what_was_put_is_what_is_got(demo: Demo) -> None:
    cursor = await put(demo, "got/with a slash", {"text": "Grüezi", "n": [1, 2.5, None]})
    got = await run(demo, "get", "playground/got/with a slash", "--at-least", cursor)
    assert got.stdout == '{"text":"Grüezi","n":[1,2.5,null]}\n'
    deleted = await run(demo, "put", "playground/got/with a slash", "--delete")
    gone = await run(demo, "get", "playground/got/with a slash", "--at-least", deleted.stdout.split()[-1])
    assert (gone.returncode, gone.stdout) == (1, "")
    assert "not_found" in gone.stderr


async def test_a_collection_in_a_pipe_is_a_line_for_each_resource(demo: Demo, tmp_path: Path) -> None:
    source = tmp_path / "many.ndjson"
    source.write_text("".join(json.dumps({"id": f"many-{n}", "data": n}) + "\n" for n in range(1200)))
    written = await run(demo, "put", "playground", "--from", str(source))
    assert (written.stdout, written.stderr, written.returncode) == ("1200 written\n", "", 0)
    await put(demo, "many-last", "last")
    async with Command(tmp_path, "watch", "playground/many-last", "--url", demo.url) as seen:
        await seen.said("last")
    got = await run(demo, "get", "playground?prefix=many-")
    found = {line["id"]: line["data"] for line in map(json.loads, got.stdout.splitlines())}
    assert {f"many-{n}": n for n in range(1200)}.items() <= found.items()


async def test_a_line_that_is_refused_is_named(demo: Demo) -> None:
    lines = '{"id": "AAPL", "data": {"price": "much"}}\n'
    refused = await run(demo, "put", "stocks", "--from", "-", stdin=lines)
    assert refused.returncode == 1
    assert "line 1" in refused.stderr
    assert refused.stdout == "0 written\n"
    broken = await run(demo, "put", "playground", "--from", "-", stdin='{"id": "x", "data": 1}\nnot json\n')
    assert "line 2 is no JSON" in broken.stderr


@pytest.mark.parametrize(
    "arguments",
    [("playground", "1"), ("playground/x",), ("playground/x", "1", "--delete"), ("playground?prefix=x", "1")],
    ids=str,
)
async def test_what_put_cannot_mean_is_a_usage_error(demo: Demo, arguments: tuple[str, ...]) -> None:
    assert (await run(demo, "put", *arguments)).returncode == 2


async def test_watch_in_a_pipe_prints_json_lines(demo: Demo, tmp_path: Path) -> None:
    async with Command(tmp_path, "watch", "playground?prefix=piped", "--url", demo.url) as seen:
        await put(demo, "piped", 7)
        await seen.said('"data":7')
        await seen.stop()
        frames = [json.loads(line) for line in seen.out.splitlines()]
    assert [(frame["resource"], frame["data"]) for frame in frames] == [("playground/piped", 7)]


async def test_watch_in_a_terminal_is_a_table_that_follows(demo: Demo) -> None:
    await put(demo, "table-a", "first")
    async with Terminal("watch", "playground?prefix=table-", "--url", demo.url) as seen:
        await seen.said("playground/table-a .*first")
        await put(demo, "table-b", "second")
        await seen.said("playground/table-b .*second")
        assert COLOUR.search(seen.raw)
        assert await seen.ended(signal.SIGINT) == 0


@pytest.mark.parametrize("command", ["tail", "watch", "get"])
async def test_no_color_is_heeded(demo: Demo, command: str) -> None:
    await put(demo, "plain", {"n": 1})
    for environment, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        async with Terminal(command, "playground/plain", "--url", demo.url, environment=environment) as seen:
            await seen.said('"n": ?1')
            await seen.ended(signal.SIGINT if command != "get" else None)
            assert (COLOUR.search(seen.raw) is not None) == coloured, seen.raw


async def test_a_file_that_is_written_shows_how_far_it_has_come(demo: Demo, tmp_path: Path) -> None:
    source = tmp_path / "bar.ndjson"
    source.write_text("".join(json.dumps({"id": f"bar-{n}", "data": "x" * 500}) + "\n" for n in range(8000)))
    async with Terminal("put", "playground", "--from", str(source), "--url", demo.url) as seen:
        await seen.said("8000 written")
        assert "writing to playground" in seen.text
        assert await seen.ended() == 0
