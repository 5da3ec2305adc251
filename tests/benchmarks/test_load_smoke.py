"""`make load` in small: locust with every kind of user, at a server that keeps its promises and at one that doesn't."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple
from xml.etree import ElementTree as ET

import pytest
import pytest_asyncio

from infra.cluster.process import ROOT
from load.__main__ import Target, command
from tests.benchmarks.liar import lying
from tests.e2e.command import Command

TRANSPORTS: Final = ("websocket", "sse", "long poll", "short poll")
BROKEN: Final = {"lost", "duplicate", "regress", "behind", "away"}
MODES: Final = ("state", "log")
WITHIN_S: Final = 90


class Outcome(NamedTuple):
    """What a run of locust left: rows by what happened and to whom, as requests and as failures."""

    status: int
    output: str
    requests: Counter[tuple[str, str]]
    failures: Counter[tuple[str, str]]
    folder: Path


async def locust(url: str, folder: Path, *options: str) -> Outcome:
    folder.mkdir()  # noqa: ASYNC240 -- a call of the kernel, and nothing else runs meanwhile
    line = command(Target(url), folder, ["--json-file", str(folder / "rows"), *options])
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*line, cwd=ROOT, stdout=pipe, stderr=asyncio.subprocess.STDOUT)
    try:
        output, _ = await asyncio.wait_for(process.communicate(), WITHIN_S)
    except BaseException:
        process.kill()
        raise
    rows = json.loads((folder / "rows.json").read_text())
    requests = Counter({(row["method"], row["name"]): row["num_requests"] for row in rows})
    failures = Counter({(row["method"], row["name"]): row["num_failures"] for row in rows if row["num_failures"]})
    return Outcome(process.returncode or 0, output.decode(), requests, failures, folder)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def honest(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Mapping[str, Outcome]]:
    """A run in each mode, side by side: watchers that come and go, and the storm that has all of them come back."""
    folder = tmp_path_factory.mktemp("load")
    async with Command(folder, "demo", "--port", "0") as demo:
        (url,) = await demo.said(r"http://127\.0\.0\.1:\d+(?=/ )")
        shape = ["--shape", "storm", "--users", "12", "--run-time", "11", "--settle", "4", "--resources", "5"]
        behaviour = ["--rate", "30", "--life", "2", "--think", "0.2"]
        runs = (locust(url, folder / mode, *shape, *behaviour, "--mode", mode) for mode in MODES)
        yield dict(zip(MODES, await asyncio.gather(*runs), strict=True))


@pytest.mark.parametrize("mode", MODES)
async def test_nothing_is_lost_and_the_exit_status_says_so(honest: Mapping[str, Outcome], mode: str) -> None:
    outcome = honest[mode]
    assert (outcome.status, outcome.failures) == (0, Counter()), outcome.output
    assert {what for what, _ in outcome.requests} & BROKEN == set()


@pytest.mark.parametrize("mode", MODES)
async def test_every_transport_delivers_and_comes_back(honest: Mapping[str, Outcome], mode: str) -> None:
    requests = honest[mode].requests
    assert requests["PUT", "publisher"] > 50
    for transport in TRANSPORTS:
        assert requests["deliver", transport] > 10, transport
        # There are three of each. One may be between two connections when the storm comes.
        assert 2 <= requests["storm", transport] <= 3, transport
        assert requests["hang up", transport] > 0, transport
        ends = requests["storm", transport] + requests["hang up", transport]
        # Each of the three begins, comes back, and may be between two connections at the end.
        assert requests["connect", transport] >= ends, transport


@pytest.mark.parametrize("mode", MODES)
async def test_there_is_a_report_a_picture_and_a_table(honest: Mapping[str, Outcome], mode: str) -> None:
    folder = honest[mode].folder
    texts = {element.text for element in ET.parse(folder / "load.svg").iter("{http://www.w3.org/2000/svg}text")}  # noqa: S314
    assert {"0 failures", "storm", "latency in ms, short polls left out"} <= texts
    assert "deliver" in (folder / "load.html").read_text()
    head, *rows = (folder / "load.csv").read_text().splitlines()
    assert head.startswith("at_s,users,connected,")
    assert len(rows) >= 2
    assert "of a core" in honest[mode].output


@pytest.mark.parametrize("options", [(), ("--processes", "2")], ids=["alone", "workers"])
async def test_what_is_kept_back_is_found_and_fails_the_run(tmp_path: Path, options: tuple[str, ...]) -> None:
    users = ["--users", "4", "--spawn-rate", "5", "--publishers", "1", "--resources", "1", "--shape", "steady"]
    briefly = ["--run-time", "6", "--settle", "2", "--life", "0"]
    async with lying() as url:
        outcome = await locust(
            url, tmp_path / "out", *users, *briefly, "--mode", "log", *options, "SseUser", "Publisher"
        )
    assert outcome.status == 1, outcome.output
    # Each of the four was told four changes, has missed the third, and never saw the last.
    assert outcome.failures == {("lost", "sse"): 4, ("behind", "sse"): 4}, outcome.output
    assert outcome.requests["deliver", "sse"] == 16


async def test_an_address_that_is_none_is_refused_at_once() -> None:
    line = command(Target("localhost:8443"), Path("/nowhere"), [])
    process = await asyncio.create_subprocess_exec(*line, cwd=ROOT, stderr=asyncio.subprocess.PIPE)
    _, said = await asyncio.wait_for(process.communicate(), WITHIN_S)
    assert process.returncode == 1
    assert b"localhost:8443 is no address" in said


def test_what_is_given_wins_over_what_is_usual() -> None:
    line = command(Target("https://localhost:1", Path("/ca.pem"), "kill 7"), Path("/out"), ["--users", "9"])
    assert line[:4] == [sys.executable, "-m", "locust", "-f"]
    assert line[-2:] == ["--users", "9"]
    for option, value in (("--ca", "/ca.pem"), ("--restart-command", "kill 7"), ("--html", "/out/load.html")):
        assert line[line.index(option) + 1] == value
    assert "--sources" in line
    assert "--sources" not in command(Target("https://front.example"), Path("/out"), [])
