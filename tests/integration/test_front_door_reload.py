"""HAProxy is reloaded, with a new certificate, while there are watchers."""

import asyncio
import itertools
import shutil
import ssl
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from infra.cluster.deadline import until
from infra.cluster.front_door import FOLDER, certificate
from tests.integration.fronted import LOG, Fronted, fronted, resume, told, trusted_certificate
from tests.support.broker import Broker
from tests.support.client import Watcher
from tests.support.front_client import TRANSPORTS, tls_connection

STREAMS: Final = 12
OVER_S: Final = 3.0


@pytest.fixture
def trusted(tmp_path: Path) -> Iterator[Path]:
    """The door's certificate, and in `next` another one, of another CA; both CAs are trusted."""
    with trusted_certificate(tmp_path) as made:
        following = certificate(made / "next")
        with (made / "ca.pem").open("a") as known:
            known.write((following / "ca.pem").read_text())
        yield made


async def run_script(front: Fronted, over_s: float) -> tuple[int, str]:
    """The operators' reload; its exit status, and what it said."""
    script = await asyncio.create_subprocess_exec(
        *(sys.executable, str(FOLDER / "reload.py"), str(front.door.master), "--over", f"{over_s:g}"),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await script.communicate()
    return script.returncode or 0, said.decode()


async def ended_at(watcher: Watcher) -> float:
    """When its connection ends."""
    await watcher.recording.wait_end(20)
    return asyncio.get_running_loop().time()


@pytest_asyncio.fixture(loop_scope="session")
async def patient(broker: Broker, trusted: Path, tmp_path: Path) -> AsyncIterator[Fronted]:
    """One whose old worker may keep its watchers for longer than any test waits."""
    async with fronted(broker, tmp_path, trusted, {"FRONT_HARD_STOP_AFTER": "10m"}) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def front(broker: Broker, trusted: Path, tmp_path: Path) -> AsyncIterator[Fronted]:
    stops = {"FRONT_HARD_STOP_AFTER": "2s", "FRONT_CLOSE_SPREAD": "1s"}
    async with fronted(broker, tmp_path, trusted, stops) as running:
        yield running


async def shown(front: Fronted) -> bytes:
    """The certificate that a newcomer is shown."""
    async with tls_connection(front.door.url) as (_, writer):
        tls: ssl.SSLObject = writer.get_extra_info("ssl_object")
        return tls.getpeercert(binary_form=True) or b""


async def test_newcomers_see_the_new_certificate_and_who_is_there_is_moved_in_time_and_misses_nothing(
    front: Fronted, trusted: Path
) -> None:
    watchers = [await TRANSPORTS[transport].open(front.door.url, LOG) for transport in TRANSPORTS for _ in range(2)]
    for watcher in watchers:
        await watcher.wait_synced()
    over = asyncio.Event()
    resuming = [asyncio.create_task(resume(front.door, watcher, over)) for watcher in watchers]
    written = [await front.writer.put(f"items/r{number % 7}", number) for number in range(20)]
    before = await shown(front)
    shutil.copy(trusted / "next/localhost.pem", trusted / "localhost.pem")
    front.door.reload()

    async def renewed() -> bool:
        return await shown(front) != before

    async def streams_have_moved() -> bool:
        return all(watcher.recording.end for watcher in watchers if watcher.transport != "longpoll")

    await until(renewed, "newcomers see the new certificate")
    written += [await front.writer.put(f"items/r{number % 7}", number) for number in range(20, 40)]
    await until(streams_have_moved, "the old process has ended", within_s=10)
    written.append(await front.writer.put("items/last", "last"))
    over.set()
    for history in await asyncio.gather(*resuming):
        await history[-1].until(lambda seen: any(frame.get("data") == "last" for frame in seen.frames))
        assert {(one.resource, one.version) for one in written} - told(history) == set()
        await history[-1].close()


async def test_the_script_sends_those_of_the_old_process_away_one_after_another_and_it_ends(
    patient: Fronted, trusted: Path
) -> None:
    streams = ("sse", "websocket")
    watchers = [await TRANSPORTS[streams[number % 2]].open(patient.door.url, LOG) for number in range(STREAMS)]
    for watcher in watchers:
        await watcher.wait_synced()
    (old,) = patient.door.workers()
    ends = [asyncio.create_task(ended_at(watcher)) for watcher in watchers]
    shutil.copy(trusted / "next/localhost.pem", trusted / "localhost.pem")
    assert await run_script(patient, OVER_S) == (0, f"reloaded; {STREAMS} were sent away over {OVER_S:g} s\n")

    async def gone() -> bool:
        return old not in patient.door.workers()

    await until(gone, "the old process has ended", within_s=20)
    times = sorted([await end for end in ends])
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert times[-1] - times[0] > OVER_S / 2
    assert max(gaps) < OVER_S / 2, gaps
    written = [await patient.writer.put(f"items/r{number}", number) for number in range(3)]
    for watcher in watchers:
        await watcher.close()
        again = await type(watcher).open(patient.door.url, LOG.resume(watcher.cursor))
        await again.until(lambda seen: len(seen.data) >= len(written))
        assert told([again]) == {(one.resource, one.version) for one in written}
        await again.close()


async def test_the_script_says_that_a_certificate_was_refused_and_ends_nobody(patient: Fronted, trusted: Path) -> None:
    watcher = await TRANSPORTS["websocket"].open(patient.door.url, LOG)
    await watcher.wait_synced()
    workers = patient.door.workers()
    (trusted / "localhost.pem").write_text("no certificate")
    status, said = await run_script(patient, OVER_S)
    assert status == 1
    assert "HAProxy refused" in said
    assert patient.door.workers() == workers
    await patient.writer.put("items/after", 1)
    await watcher.until(lambda seen: any(frame["resource"] == "items/after" for frame in seen.data))
    await watcher.close()
