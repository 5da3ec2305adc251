"""Clients come back to their server, until it leaves or dies; then another one has everything."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest_asyncio

from infra.cluster.deadline import until
from infra.cluster.service import Service
from tests.integration.fronted import ALL, LOG, Fronted, fronted, resume, told
from tests.support.broker import Broker
from tests.support.client import Watcher
from tests.support.front_client import TRANSPORTS, DoorHttp, DoorSse, birth_in, given_cookie, server_in

READ: Final = "/v1/items"
SOURCES: Final = tuple(f"127.0.1.{number}" for number in range(1, 17))


@pytest_asyncio.fixture(loop_scope="session")
async def own(broker: Broker, certificate: Path, tmp_path: Path) -> AsyncIterator[Fronted]:
    """A test's own: it may stop what it likes."""
    async with fronted(broker, tmp_path, certificate, {"FRONT_BALANCE_FACTOR": "200"}) as running:
        yield running


async def readyz_is_503(server: Service) -> bool:
    async with DoorHttp(server.admin_url) as http:
        return (await http.get("/readyz")).status == 503


def name_of(front: Fronted, server: Service) -> str:
    return f"pushserver{front.servers.index(server) + 1}"


def other_than(front: Fronted, server: Service) -> Service:
    (other,) = [each for each in front.servers if each is not server]
    return other


async def watch_from_here(front: Fronted, count: int) -> list[Watcher]:
    watchers: list[Watcher] = [await DoorSse.open(front.door.url, ALL) for _ in range(count)]
    for watcher in watchers:
        await watcher.wait_synced()
    return watchers


async def test_a_cookie_leads_back_to_the_server_that_gave_it_whatever_the_source(front: Fronted) -> None:
    async with DoorHttp(front.door.url) as http:
        given = given_cookie(await http.get(READ))
    assert given is not None
    for source in SOURCES:
        async with DoorHttp(front.door.url, source=source) as http:
            answer = await http.get(READ, headers={"Cookie": f"watchroute={given}"})
        assert answer.status == 200
        assert server_in(given_cookie(answer) or given) == server_in(given)


async def test_the_cookie_is_for_https_and_not_for_scripts_or_caches(front: Fronted) -> None:
    async with DoorHttp(front.door.url) as http:
        answer = await http.get(READ)
    (header,) = answer.headers.getall("Set-Cookie")
    assert {part.strip().lower() for part in header.split(";")[1:]} == {
        "path=/",
        "httponly",
        "secure",
        "samesite=lax",
    }


async def test_a_cookie_leads_nowhere_when_it_is_old(certificate: Path, broker: Broker, tmp_path: Path) -> None:
    brief = {"FRONT_COOKIE_LIFE": "1s"}
    async with fronted(broker, tmp_path, certificate, brief) as short, DoorHttp(short.door.url) as http:
        given = await http.cookie(READ)

        async def given_anew() -> bool:
            answer = await http.get(READ, headers={"Cookie": f"watchroute={given}"})
            return birth_in(given_cookie(answer) or given) != birth_in(given)

        await until(given_anew, "it is given another one")


async def test_without_cookies_a_source_comes_back_to_its_server_and_sources_are_spread(front: Fronted) -> None:
    first = {}
    for source in SOURCES:
        async with DoorHttp(front.door.url, source=source) as http:
            first[source] = server_in(await http.cookie(READ))
    # In another order: taking turns would do as well in the same one.
    for source in reversed(SOURCES):
        async with DoorHttp(front.door.url, source=source) as http:
            assert server_in(await http.cookie(READ)) == first[source]
    assert len(set(first.values())) == 2, "all sources have the same server"


async def test_writes_get_no_cookie(front: Fronted) -> None:
    async with DoorHttp(front.door.url) as http:
        answer = await http.request("PUT", "/v1/items/a", headers={"Content-Type": "application/json"}, body=b"1")
    assert answer.status == 200
    assert given_cookie(answer) is None


async def test_a_server_that_leaves_gets_nobody_new_and_keeps_whom_it_has_until_it_says_goodbye(
    own: Fronted,
) -> None:
    async with DoorHttp(own.door.url, cookies=True) as http:
        held = await http.cookie(READ)
        leaving = await own.by_cookie(held)
        watchers = await watch_from_here(own, 4)
        await until(lambda: served_by(leaving, 1), "it has watchers")
        leaving.terminate()
        await until(lambda: readyz_is_503(leaving), "it is leaving")
        # Also before HAProxy knows.
        fresh = await http.cookie(READ)
        assert await own.by_cookie(fresh) is other_than(own, leaving)
        await own.door.until_status(name_of(own, leaving), "NOLB")
        for source in SOURCES:
            async with DoorHttp(own.door.url, source=source) as stranger:
                answer = await stranger.get(READ, headers={"Cookie": f"watchroute={held}"})
            given = given_cookie(answer)
            assert answer.status == 200
            assert given
            assert await own.by_cookie(given) is other_than(own, leaving)
    await own.writer.put("items/late", "late")
    staying = [watcher for watcher in watchers if watcher.recording.end is None]
    assert len(staying) >= 3, "those who were not said goodbye to were cut off"
    for watcher in staying:
        await watcher.wait_for(lambda frame: frame.get("data") == "late")
    for watcher in watchers:
        await watcher.close()


async def served_by(server: Service, count: int) -> bool:
    async with DoorHttp(server.admin_url) as http:
        text = (await http.get("/metrics")).body.decode()
    return any(
        line.startswith("watchroute_connections ") and float(line.split()[1]) >= count for line in text.split("\n")
    )


async def test_when_a_server_is_killed_its_watchers_go_on_elsewhere_and_miss_nothing(own: Fronted) -> None:
    watchers = [await TRANSPORTS[transport].open(own.door.url, LOG) for transport in TRANSPORTS for _ in range(3)]
    for watcher in watchers:
        await watcher.wait_synced()
    over = asyncio.Event()
    resuming = [asyncio.create_task(resume(own.door, watcher, over)) for watcher in watchers]
    written = [await own.writer.put(f"items/r{number % 7}", number) for number in range(60)]
    async with DoorHttp(own.door.url) as http:
        doomed = await own.by_cookie(await http.cookie(READ))
    await until(lambda: served_by(doomed, 1), "it has watchers")
    await doomed.kill()
    written += [await own.writer.put(f"items/r{number % 7}", number) for number in range(60, 120)]
    await own.door.until_status(name_of(own, doomed), "DOWN")
    last = await own.writer.put("items/last", "last")
    expected = {(one.resource, one.version) for one in [*written, last]}
    latest = await all_told(own, last.version)
    over.set()
    histories = await asyncio.gather(*resuming)
    await latest.close()
    assert any(len(history) > 1 for history in histories), "nobody lost a connection"
    for history in histories:
        await history[-1].until(lambda seen: any(frame.get("data") == "last" for frame in seen.frames))
        assert expected - told(history) == set()
        await history[-1].close()


async def all_told(front: Fronted, version: int) -> Watcher:
    """A newcomer, once it has been told the last version."""
    watcher = await DoorSse.open(front.door.url, ALL)
    await watcher.wait_for(lambda frame: frame.get("version") == str(version) and frame["resource"] == "items/last")
    return watcher


async def test_the_watchers_of_a_server_that_hangs_are_cut_off_so_that_they_go_elsewhere(own: Fronted) -> None:
    watchers = await watch_from_here(own, 6)
    async with DoorHttp(own.door.url) as http:
        hanging = await own.by_cookie(await http.cookie(READ))
        await until(lambda: served_by(hanging, 1), "it has watchers")
        hanging.freeze()
        await own.door.until_status(name_of(own, hanging), "DOWN")
        assert await own.by_cookie(await http.cookie(READ)) is other_than(own, hanging)
    await until(lambda: any_ended(watchers), "those that it had are cut off")
    hanging.thaw()
    await own.door.until_status(name_of(own, hanging), "UP")
    for watcher in watchers:
        await watcher.close()


async def any_ended(watchers: list[Watcher]) -> bool:
    return any(watcher.recording.end is not None for watcher in watchers)
