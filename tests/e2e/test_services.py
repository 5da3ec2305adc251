"""The services when something is wrong with what they were given."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from infra.cluster.deadline import until
from infra.cluster.process import ROOT
from infra.cluster.service import Service
from tests.support.client import Http
from tests.support.fleet import free_port

EITHER: Final = pytest.mark.parametrize("name", ["producer", "pushserver"])
COLLECTIONS: Final = '[collections.items]\nmodes = ["state", "log"]\n'


def start(name: str, config: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a service that is expected to end by itself."""
    path = folder / "watchroute.toml"
    path.write_text(config)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("WATCHROUTE_")}
    return subprocess.run(
        [sys.executable, "-m", f"services.{name}"],
        cwd=ROOT,
        env=inherited | {"WATCHROUTE_CONFIG": str(path)} | environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


@EITHER
def test_every_mistake_in_the_configuration_is_reported_at_once(name: str, tmp_path: Path) -> None:
    config = '[kafka]\nbootstrap = "a:1"\nbogus = 1\n[collections.items]\nmodes = ["state", "logg"]\n[nope]\n'
    ended = start(name, config, tmp_path)
    said = ended.stdout + ended.stderr
    assert ended.returncode != 0
    assert all(word in said for word in ("bogus", "collections.items.modes", "nope")), said
    assert "Traceback" not in said


@EITHER
def test_an_unknown_variable_is_refused(name: str, tmp_path: Path) -> None:
    ended = start(name, COLLECTIONS, tmp_path, WATCHROUTE_KAFKA_BOTSTRAP="a:1")
    assert ended.returncode != 0
    assert "WATCHROUTE_KAFKA_BOTSTRAP" in ended.stdout + ended.stderr


@EITHER
def test_a_port_that_is_taken_is_a_clear_end(name: str, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        table = f"WATCHROUTE_{name.upper()}"
        ports = {f"{table}_PORT": str(taken.getsockname()[1]), f"{table}_ADMIN_PORT": str(free_port())}
        ended = start(name, COLLECTIONS, tmp_path, WATCHROUTE_KAFKA_BOOTSTRAP=f"127.0.0.1:{free_port()}", **ports)
    assert ended.returncode != 0
    assert "Traceback" not in ended.stdout + ended.stderr


@pytest_asyncio.fixture(loop_scope="session")
async def without_kafka(name: str, tmp_path: Path) -> AsyncIterator[Service]:
    """A service whose Kafka doesn't answer, once it is alive."""
    config = tmp_path / "watchroute.toml"
    config.write_text(f'[auth]\nmode = "none"\n[kafka]\nbootstrap = "127.0.0.1:{free_port()}"\n{COLLECTIONS}')
    service = Service(name, tmp_path, config, {})
    service.launch()
    async with Http(service.admin_url) as http:

        async def alive() -> bool:
            try:
                return (await http.get("/livez")).status == 200
            except OSError:
                return False

        await until(alive, f"{name} is alive", within_s=20)
    yield service
    await service.shut()


@EITHER
async def test_a_service_without_kafka_lives_and_is_not_ready(name: str, without_kafka: Service) -> None:
    async with Http(without_kafka.admin_url) as http:
        assert (await http.get("/readyz")).status == 503
        assert (await http.get("/metrics")).status == 200


@pytest.mark.parametrize("name", ["pushserver"])
async def test_reads_without_kafka_are_refused_for_now(name: str, without_kafka: Service) -> None:
    async with Http(without_kafka.url) as http:
        for address in ("/v1/items/a", "/v1/items", "/v1/items/a/stream", "/v1/items/a/poll"):
            answer = await http.get(address)
            assert (answer.status, answer.problem()["code"]) == (503, "not_ready")
            assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("name", ["producer"])
async def test_writes_without_kafka_are_refused_in_time(name: str, without_kafka: Service) -> None:
    one, many = ("/v1/items/a", b"1"), ("/v1/items", b'[{"id":"a","data":1}]')
    started = time.monotonic()
    async with Http(without_kafka.url) as http:
        for method, (target, body) in (("PUT", one), ("DELETE", (one[0], None)), ("POST", many)):
            answer = await http.request(method, target, headers={"Content-Type": "application/json"}, body=body)
            assert (answer.status, answer.problem()["code"]) == (503, "unavailable")
            assert int(answer.headers["Retry-After"]) > 0
    assert time.monotonic() - started < 40


@EITHER
async def test_a_service_without_kafka_stops_cleanly(name: str, without_kafka: Service) -> None:
    assert await without_kafka.stop() == 0, without_kafka.log_tail()
    assert "Traceback" not in without_kafka.log_tail()
