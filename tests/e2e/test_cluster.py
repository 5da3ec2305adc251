"""`make cluster`, as its reader starts it: the README's lines, a server that dies, the end, and a second start."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from infra.cluster.deadline import until
from infra.cluster.front_door import NoFrontDoor, certificate, require_haproxy
from infra.cluster.kafka_jars import KafkaJars
from infra.cluster.plan import Ports
from infra.cluster.process import HOST, ROOT
from tests.e2e.command import Command
from tests.e2e.readme import BLOCKS, check_block
from tests.support.client import Ask, Watch
from tests.support.front_client import DoorHttp, DoorSse

USUAL: Final = "https://localhost:8443"
STARTS_WITHIN_S: Final = 60
STOPS_WITHIN_S: Final = 60
PLAYGROUND: Final = Ask((Watch("playground"),))
STOCKS: Final = Ask((Watch("stocks"),), snapshot=False)


class ClusterCommand(Command):
    """It listens at free ports, in a folder of its own; its servers send watchers away within a second."""

    def __init__(self, folder: Path, certificates: Path) -> None:
        self.certificates = certificates
        drain = {"DRAIN_S": "0.5", "DRAIN_WAIT_S": "0.5", "OVERLAP_MS": "0"}
        drain = {f"WATCHROUTE_PUSHSERVER_{name}": setting for name, setting in drain.items()}
        where = ("--folder", str(folder / "cluster"), "--certificates", str(certificates))
        super().__init__(folder, "--free-ports", *where, environment=drain, module="infra.cluster")

    async def url(self) -> str:
        """The front door, once everything is ready."""
        (found,) = await self.said(r"^The cluster is running: (\S+),", within_s=STARTS_WITHIN_S)
        return found

    def processes(self) -> dict[int, str]:
        """Their command lines, by number."""
        listed = subprocess.run(["ps", "-eo", "pid,ppid,args"], check=True, capture_output=True, text=True).stdout
        rows = [line.split(maxsplit=2) for line in listed.splitlines()[1:]]
        return {int(pid): args for pid, parent, args in rows if int(parent) == self.pid}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        require_haproxy()
    except NoFrontDoor as missing:
        pytest.skip(str(missing))
    return certificate(tmp_path_factory.mktemp("certificates"))


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def cluster(
    kafka_jars: KafkaJars, certificates: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ClusterCommand]:
    """It runs; each test leaves it running. The client in this process trusts its certificate."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SSL_CERT_FILE", str(certificates / "ca.pem"))
        async with ClusterCommand(tmp_path_factory.mktemp("command"), certificates) as running:
            yield running


def still_there(pids: Iterable[int]) -> list[int]:
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


TO_CLUSTER: Final = [block for block in BLOCKS if USUAL in block and "docker" not in block]


def test_the_readme_has_lines_for_it() -> None:
    assert len(TO_CLUSTER) == 1
    assert re.findall(r"(-X PUT|/poll|-N)", TO_CLUSTER[0]) == ["-X PUT", "-N", "/poll"]


async def test_the_lines_of_the_readme_work_as_written(cluster: ClusterCommand, tmp_path: Path) -> None:
    block = TO_CLUSTER[0].replace(USUAL, await cluster.url()).replace(".certs/", f"{cluster.certificates}/")
    output = await check_block(block, tmp_path)
    assert b"HTTP/2 200" in output
    assert output.count(b'{"text": "Hello"}') == 3


async def test_a_page_is_at_the_address_that_is_printed_and_its_prices_move(cluster: ClusterCommand) -> None:
    url = await cluster.url()
    async with DoorHttp(url) as http:
        page = await http.get("/")
        script = await http.get("/page/app.js")
    assert (page.status, page.media_type) == (200, "text/html")
    assert (script.status, script.media_type) == (200, "text/javascript")
    watcher = await DoorSse.open(url, STOCKS)
    await watcher.wait_for(lambda frame: frame["event"] == "put")
    await watcher.close()


async def test_whatever_dies_is_started_again_and_a_watcher_goes_on(cluster: ClusterCommand) -> None:
    url = await cluster.url()
    watcher = await DoorSse.open(url, PLAYGROUND)
    await watcher.wait_synced()
    before = cluster.processes()
    victims = [pid for pid, args in before.items() if "services." in args]
    assert len(victims) == 5
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    await cluster.said(r"^(?:pushserver|producer)-\d is back$", times=5)
    assert not set(victims) & set(cluster.processes())
    await watcher.recording.wait_end()
    await watcher.close()
    async with DoorHttp(url) as http:

        async def read_and_written() -> bool:
            body, headers = b"1", {"Content-Type": "application/json"}
            write = await http.request("PUT", "/v1/playground/after", headers=headers, body=body)
            return write.status == (await http.get("/v1/playground/after")).status == 200

        await until(read_and_written, "the front door has found them")
    again = await DoorSse.open(url, PLAYGROUND.resume(watcher.cursor))
    await again.wait_for(lambda frame: frame.get("resource") == "playground/after")
    await again.close()


async def test_it_ends_with_all_that_it_started_and_serves_the_same_when_started_again(
    cluster: ClusterCommand,
) -> None:
    url = await cluster.url()
    watcher = await DoorSse.open(url, PLAYGROUND)
    await watcher.wait_synced()
    started = cluster.processes()
    assert len(started) == 3 + 2 + 3 + 1 + 1
    await cluster.stop(within_s=STOPS_WITHIN_S)
    assert watcher.frames[-1]["event"] == "goaway"
    await watcher.close()
    assert not still_there(started)
    cluster.start()
    again = await DoorSse.open(await cluster.url(), PLAYGROUND.resume(watcher.cursor))
    await again.wait_synced()
    assert again.frames[-1]["event"] == "synced"
    assert again.frames[-1]["resumed"]
    await again.close()


def test_a_port_that_is_taken_is_named(kafka_jars: KafkaJars, certificates: Path, tmp_path: Path) -> None:
    wanted = Ports(fixed=True).server(1)[0]
    with socket.socket() as other:
        other.bind((HOST, wanted))
        other.listen()
        refused = subprocess.run(
            [sys.executable, "-m", "infra.cluster", "--folder", tmp_path, "--certificates", certificates],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"Error: port {wanted} is taken")
