"""HAProxy is stopped, as at the end of its container: its watchers go to another one in turn, and each is told so."""

import asyncio
import bisect
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest_asyncio

from infra.cluster.front_door import FrontDoor
from services.pushserver.doors import LEAST_SILENCE_S
from services.pushserver.settings import PushServerSettings
from tests.integration.fronted import LOG, Fronted, fronted, quick_door, told
from tests.support.broker import Broker
from tests.support.client import Watcher, Writer
from tests.support.front_client import TRANSPORTS, Curl, DoorHttp

STREAMS: Final = 24
INTERVAL_S: Final = 4.0
ENDS_S: Final = (PushServerSettings().reconnect_ms + PushServerSettings().overlap_ms) / 1000
"""After a `goaway`."""
MARGIN_S: Final = 4.0
"""For a machine that is out of breath."""


@pytest_asyncio.fixture(loop_scope="session")
async def front(broker: Broker, certificate: Path, tmp_path: Path) -> AsyncIterator[Fronted]:
    patient = {"FRONT_HARD_STOP_AFTER": "10m", "FRONT_CLOSE_SPREAD": "10s"}
    async with fronted(broker, tmp_path, certificate, patient, bookmark_interval_s=INTERVAL_S) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def other(front: Fronted, certificate: Path, tmp_path: Path) -> AsyncIterator[FrontDoor]:
    """Another door to the same servers."""
    kinds = ("FRONT_PUSHSERVER", "FRONT_PRODUCER")
    named = {name: value for name, value in front.door.variables.items() if name.startswith(kinds)}
    async with quick_door(tmp_path, certificate, named) as door:
        for number in range(1, len(front.servers) + 1):
            await door.until_status(f"pushserver{number}", "UP")
        yield door


async def watch(url: str) -> list[Watcher]:
    transports = ("sse", "websocket")
    watchers = [await TRANSPORTS[transports[number % 2]].open(url, LOG) for number in range(STREAMS)]
    for watcher in watchers:
        await watcher.wait_synced()
    return watchers


async def ended_after(watcher: Watcher, began: float) -> float:
    """How long it takes until its connection ends, as one that was not cut."""
    end = await watcher.recording.wait_end(20)
    assert (watcher.transport, end.code) in {("sse", 0), ("websocket", 1012)}
    return asyncio.get_running_loop().time() - began


async def write(door: FrontDoor, *resources: str) -> set[tuple[str, int]]:
    writer = Writer(door.url)
    await writer.http.close()
    writer.http = DoorHttp(door.url)
    written = [await writer.put(resource, 1) for resource in resources]
    await writer.http.close()
    return {(one.resource, one.version) for one in written}


async def test_whose_door_is_stopped_is_sent_to_another_one_in_turn_and_misses_nothing(
    front: Fronted, other: FrontDoor
) -> None:
    watchers = await watch(front.door.url)
    began = asyncio.get_running_loop().time()
    ends = [asyncio.create_task(ended_after(watcher, began)) for watcher in watchers]
    front.door.leave()
    written = await write(other, *(f"items/r{number}" for number in range(3)))
    times = sorted([await end for end in ends])
    for watcher in watchers:
        await watcher.close()
    assert await front.door.wait_exit(20) == 0

    for watcher in watchers:
        events = [frame["event"] for frame in watcher.frames]
        assert events.count("goaway") == 1
        assert events[events.index("goaway") - 1] == "bookmark"
    assert times[0] > LEAST_SILENCE_S / 2, "silence takes its time"
    assert times[-1] < LEAST_SILENCE_S + INTERVAL_S + ENDS_S + MARGIN_S
    assert times[-1] - times[0] > INTERVAL_S / 2
    busiest = max(bisect.bisect(times, at_s + 1) - index for index, at_s in enumerate(times))
    assert busiest <= STREAMS * 2 / 3, times

    written |= await write(other, "items/later")
    for watcher in watchers:
        again = await type(watcher).open(other.url, LOG.resume(watcher.cursor))
        await again.until(lambda seen: seen.data and seen.data[-1]["resource"] == "items/later")
        assert told([watcher, again]) == written
        assert {frame["event"] for frame in again.frames}.isdisjoint({"reset", "goaway", "problem"})
        await again.close()


async def test_who_says_that_he_came_through_another_door_is_not_believed_by_his_own(
    front: Fronted, other: FrontDoor
) -> None:
    (worker,) = front.door.workers()
    forged = ("--header", f"X-Front-Door: {socket.gethostname()}-{worker}")
    watchers = await watch(front.door.url)
    async with Curl(other.ca, f"{other.url}/v1/items/stream?snapshot=false", *forged) as honest:
        await honest.until(b"synced")
        front.door.leave()
        for watcher in watchers:
            await ended_after(watcher, 0)
        await write(other, "items/last")
        seen = await honest.until(b'"items/last"')
        assert b"goaway" not in seen
    for watcher in watchers:
        await watcher.close()
