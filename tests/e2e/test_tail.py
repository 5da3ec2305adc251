"""`watchroute tail`, `get`, `put` and `watch`, against a demo whose Kafka outlives it."""

import asyncio
import json
import re
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from infra.cluster.deadline import until
from infra.cluster.process import ROOT
from tests.e2e.command import Command
from tests.e2e.conftest import Demo
from tests.support.broker import Broker
from tests.support.client import Http, Writer

TRANSPORTS = pytest.mark.parametrize("transport", ["sse", "ws", "poll"])
WRITTEN = r"^\{.*\}$"


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def lasting(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Demo]:
    """A demo that finds its state again after a restart."""
    async with Demo(tmp_path_factory, kafka=broker.bootstrap) as running:
        await running.ready()
        yield running


@pytest.fixture
def prefix() -> str:
    """Of ids that belong to this test alone."""
    return f"tail-{secrets.token_hex(4)}-"


def tail(folder: Path, demo: Demo, *arguments: str) -> Command:
    return Command(folder, "tail", "--url", demo.url, *arguments)


def changes(command: Command) -> list[tuple[str, Any]]:
    frames = [json.loads(line) for line in command.out.splitlines()]
    return [(frame["resource"], frame.get("data")) for frame in frames]


async def said_by(demo: Demo, *arguments: str, stdin: str = "") -> str:
    """Run a command, which must succeed; what it printed."""
    command = [sys.executable, "-m", "cli", *arguments, "--url", demo.url]
    ended = await asyncio.to_thread(
        subprocess.run, command, cwd=ROOT, input=stdin, capture_output=True, text=True, timeout=30, check=True
    )
    return ended.stdout


@TRANSPORTS
async def test_it_goes_on_after_a_restart_without_loss_or_repetition(
    lasting: Demo, prefix: str, tmp_path: Path, transport: str
) -> None:
    one, two = f"playground/{prefix}1", f"playground/{prefix}2"
    watched = ("stocks/nothing", f"playground?prefix={prefix}")
    async with (
        Writer(lasting.url) as writer,
        tail(tmp_path, lasting, *watched, "--transport", transport, "--json") as seen,
    ):
        await writer.put(one, 1)
        await seen.said(WRITTEN)
        await lasting.stop()
        lasting.start()
        await lasting.ready()
        await writer.put(two, 2)
        await seen.said(WRITTEN, times=2)
        await writer.delete(one)
        await seen.said(WRITTEN, times=3)
        await seen.stop()
        assert changes(seen) == [(one, 1), (two, 2), (one, None)]
        assert "begins again" not in seen.err
        (cursor,) = re.findall(r"--cursor (\S+)$", seen.err)
    await writer_put(lasting, two, 3)
    async with tail(tmp_path, lasting, watched[1], "--cursor", cursor, "--json") as resumed:
        await resumed.said('"data":3')
        await resumed.stop()
        # What came after the last bookmark may come again.
        assert {(two, 3)} <= set(changes(resumed)) <= {(one, None), (two, 3)}


async def writer_put(demo: Demo, resource: str, data: Any) -> None:
    async with Writer(demo.url) as writer:
        await writer.put(resource, data)


@TRANSPORTS
async def test_log_mode_tells_every_change(lasting: Demo, prefix: str, tmp_path: Path, transport: str) -> None:
    resource = f"playground/{prefix}log"
    options = ("--transport", transport, "--mode", "log", "--json", "--no-snapshot", "--format", "compact")
    async with Writer(lasting.url) as writer, tail(tmp_path, lasting, resource, *options) as seen:
        await opened(lasting, 1)
        for number in range(20):
            await writer.put(resource, number)
        await seen.said(WRITTEN, times=20)
        await seen.stop()
        assert changes(seen) == [(resource, number) for number in range(20)]
        assert "time" not in seen.out


async def opened(demo: Demo, watchers: int) -> None:
    """Return when so many watchers are connected."""
    async with Http(demo.url) as http:

        async def connected() -> bool:
            text = (await http.get("/metrics")).body.decode()
            return f"watchroute_connections {watchers}.0" in text

        await until(connected, f"{watchers} watchers are connected")


async def test_changes_are_lines_for_a_person(lasting: Demo, prefix: str, tmp_path: Path) -> None:
    resource = f"playground/{prefix}é [bold]"
    async with tail(tmp_path, lasting, resource, "--lines") as seen:
        await seen.said("up to date, watching")
        await said_by(lasting, "put", resource, '{"a": "\x9b2J"}', "--type", "hello")
        await said_by(lasting, "put", resource, "--delete")
        await seen.said("deleted$")
        await seen.stop()
        put, delete = seen.out.splitlines()
    assert put.endswith('{"a": "\\u009b2J"}')
    assert f" {resource} " in put
    assert delete.endswith(" deleted")


@pytest.mark.parametrize("form", [[], ["--lines"]], ids=["json", "lines"])
async def test_it_ends_without_a_word_when_nobody_reads_any_more(lasting: Demo, form: list[str]) -> None:
    command = [sys.executable, "-m", "cli", "tail", "stocks", "--url", lasting.url, *form]
    assert b"Traceback" not in await asyncio.to_thread(read_one_line, command)


def read_one_line(command: list[str]) -> bytes:
    """Read a line and go away, as `head -1` does; returns what it says to stderr until it ends."""
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as writing:
        assert writing.stdout
        assert writing.stderr
        assert writing.stdout.readline()
        writing.stdout.close()
        return writing.stderr.read()


async def test_lines_of_the_standard_input_are_published(lasting: Demo, prefix: str, tmp_path: Path) -> None:
    items = [{"id": f"{prefix}{number:04}", "data": number} for number in range(1200)]
    lines = "\n".join(map(json.dumps, items))
    assert await said_by(lasting, "put", "playground", "--from", "-", stdin=lines) == "1200 written\n"
    async with tail(tmp_path, lasting, f"playground?prefix={prefix}", "--json") as seen:
        await seen.said(WRITTEN, times=1200)
        await seen.stop()
        assert sorted(data for _, data in changes(seen)) == list(range(1200))


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("tail", "nowhere/x"), "not_found"),
        (("tail", "nowhere/x", "--transport", "ws"), "not_found"),
        (("tail", "stocks", "--cursor", "junk", "--transport", "poll"), "invalid"),
        (("put", "stocks/x", "{}"), '"price" is a required'),
    ],
    ids=str,
)
async def test_what_cannot_be_is_one_clear_refusal(
    lasting: Demo, tmp_path: Path, arguments: tuple[str, ...], problem: str
) -> None:
    async with Command(tmp_path, *arguments, "--url", lasting.url) as refused:
        assert await refused.ended() == 1
        assert re.search(problem, refused.err)
        assert "Traceback" not in refused.err
