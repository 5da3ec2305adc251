"""HAProxy is reloaded, with a new certificate, while there are watchers."""

import asyncio
import shutil
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from infra.cluster.deadline import until
from infra.cluster.front_door import certificate
from tests.integration.fronted import LOG, Fronted, fronted, resume, told, trusted_certificate
from tests.support.broker import Broker
from tests.support.front_client import TRANSPORTS, tls_connection


@pytest.fixture
def trusted(tmp_path: Path) -> Iterator[Path]:
    """The door's certificate, and in `next` another one, of another CA; both CAs are trusted."""
    with trusted_certificate(tmp_path) as made:
        following = certificate(made / "next")
        with (made / "ca.pem").open("a") as known:
            known.write((following / "ca.pem").read_text())
        yield made


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
