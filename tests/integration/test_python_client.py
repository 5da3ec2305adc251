"""The Python client against real services: killed, drained, behind HAProxy, through bad networks."""

import asyncio
import ssl
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from infra.cluster.front_door import addresses
from tests.integration.client_proxy import UpgradeRefusingProxy
from tests.integration.fronted import COLLECTIONS, quick_door
from tests.support.broker import Broker
from tests.support.client import Writer
from tests.support.fault_proxy import FaultProxy
from tests.support.fleet import BOOKMARK_INTERVAL_S, Fleet
from tests.support.front_client import DoorHttp
from tests.support.server import HOST, eventually
from watchroute_client import State, WatchClient, WatchError, negotiation, surroundings
from watchroute_client.inbox import ROOM
from watchroute_client.sync import SyncClient

TRANSPORTS: Final = ("ws", "sse", "poll")
WRITES: Final = 150


class Seen:
    """What an application is told of a watch, while it reads it."""

    def __init__(self, client: WatchClient, path: str, **more: Any) -> None:
        self.versions: dict[str, list[int]] = defaultdict(list)
        self.events: list[str] = []
        self.watch = client.watch(path, **more)
        self._task = asyncio.create_task(self._read())

    @property
    def count(self) -> int:
        return sum(map(len, self.versions.values()))

    async def stop(self) -> None:
        await self.watch.aclose()
        await self._task

    async def _read(self) -> None:
        async for change in self.watch:
            self.events.append(change.event)
            if change.event in {"put", "delete"}:
                self.versions[change.resource].append(change.version)


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def fleet(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Fleet]:
    async with Fleet(broker, tmp_path_factory.mktemp("client"), COLLECTIONS, servers=2) as running:
        yield running


@asynccontextmanager
async def door(fleet: Fleet, certificate: Path, folder: Path) -> AsyncIterator[tuple[str, ssl.SSLContext, Writer]]:
    """HAProxy before them."""
    named = addresses("PUSHSERVER", fleet.servers) | addresses("PRODUCER", [fleet.producer])
    async with quick_door(folder, certificate, named) as running, AsyncExitStack() as stack:
        for number in (1, 2):
            await running.until_status(f"pushserver{number}", "UP")
        writer = Writer(running.url)
        await writer.http.close()
        writer.http = DoorHttp(running.url)
        stack.push_async_callback(writer.http.close)
        yield running.url, ssl.create_default_context(cafile=certificate / "ca.pem"), writer


async def write_on(writer: Writer, name: str, done: asyncio.Event) -> dict[str, list[int]]:
    """Write until it is done, and WRITES at least; every version that was acknowledged."""
    written: dict[str, list[int]] = defaultdict(list)
    number = 0
    while number < WRITES or not done.is_set():
        resource = f"items/{name}{number % 5}"
        written[resource].append((await writer.put(resource, number)).version)
        number += 1
    return written


@pytest.mark.parametrize("ending", ["kill", "shut"])
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_rolling_restart_shows_no_gap_and_no_repeat(
    transport: str, ending: str, fleet: Fleet, certificate: Path, tmp_path: Path
) -> None:
    name = f"{transport}-{ending}-"
    async with (
        door(fleet, certificate, tmp_path) as (url, tls, writer),
        WatchClient(url, transports=[transport], tls=tls) as client,
    ):
        seen = Seen(client, f"items?prefix={name}", mode="log")
        await eventually(lambda: client.state is State.LIVE, "it is live")
        done = asyncio.Event()
        writing = asyncio.create_task(write_on(writer, name, done))
        for server in fleet.servers:
            await (server.kill() if ending == "kill" else server.shut())
            server.launch()
            await server.wait_ready()
        done.set()
        written = await writing
        await eventually(lambda: seen.count >= sum(map(len, written.values())), "all is seen", within_s=30)
        await seen.stop()
    assert seen.versions == written
    assert "reset" not in seen.events


@pytest.mark.parametrize("transport", ["ws", "sse"])
async def test_a_half_open_connection_is_left_behind(transport: str, fleet: Fleet) -> None:
    host, port = HOST, fleet.servers[0].port
    async with (
        FaultProxy(lambda: asyncio.open_connection(host, port)) as proxy,
        WatchClient(f"http://{proxy.address}", transports=[transport]) as client,
        Writer(fleet.producer.url) as writer,
    ):
        await writer.put(f"items/half-{transport}", 1)
        seen = Seen(client, f"items/half-{transport}")
        await eventually(lambda: "synced" in seen.events and seen.watch.cursor, "it is synced")
        # Two bookmarks teach it how often they come.
        await bookmarked(seen, 3)
        proxy.forget()
        await writer.put(f"items/half-{transport}", 2)
        await eventually(lambda: seen.count == 2, "it has come back", within_s=15)
        await seen.stop()


async def bookmarked(seen: Seen, times: int) -> None:
    """Return when the server has said so many times how fresh it is."""
    known: set[float | None] = {seen.watch.progress.as_of}

    def again() -> bool:
        known.add(seen.watch.progress.as_of)
        return len(known) > times

    await eventually(again, "bookmarks come")


async def test_a_proxy_that_breaks_upgrades_is_stepped_around(fleet: Fleet) -> None:
    async with (
        UpgradeRefusingProxy(fleet.servers[0].url) as proxy,
        WatchClient(proxy.url) as client,
        Writer(fleet.producer.url) as writer,
    ):
        seen = Seen(client, "items/stepped")
        await eventually(lambda: client.state is State.LIVE, "it is live")
        assert (client.transport, proxy.refused) == ("sse", 2)
        await writer.put("items/stepped", 1)
        await eventually(lambda: seen.count == 1, "the change is seen")
        await seen.stop()


async def test_once_the_way_is_open_again_all_watches_are_back_on_one_websocket(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(negotiation, "FIRST_REST_S", 0.5)
    async with (
        UpgradeRefusingProxy(fleet.servers[0].url) as proxy,
        WatchClient(proxy.url) as client,
        Writer(fleet.producer.url) as writer,
    ):
        states: list[State] = []
        seen = [Seen(client, path, mode="log") for path in ("items?prefix=back-a", "items?prefix=back-b")]
        await eventually(lambda: client.state is State.LIVE, "it is live")
        client.on_status(lambda status: states.append(status.state))
        done = asyncio.Event()
        writing = [asyncio.create_task(write_on(writer, f"back-{name}", done)) for name in "ab"]
        await eventually(lambda: proxy.refused > 2, "the WebSocket is tried in vain")
        assert client.transport == "sse"
        proxy.mended = True
        await eventually(lambda: client.transport == "ws", "it is back", within_s=20)
        done.set()
        written = [await each for each in writing]
        await eventually(
            lambda: [each.count for each in seen] == [sum(map(len, all_.values())) for all_ in written],
            "all is seen",
            within_s=30,
        )
        for each in seen:
            await each.stop()
    assert [each.versions for each in seen] == written
    # Once nothing is watched any more.
    assert states[:1] == [State.CONNECTING]


async def test_a_proxy_that_buffers_streams_is_stepped_around(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    # As the servers of this test do it: nobody waits here for three times the usual 15 s.
    monkeypatch.setattr(surroundings, "FIRST_INTERVAL_S", BOOKMARK_INTERVAL_S)
    async with (
        UpgradeRefusingProxy(fleet.servers[0].url, buffers=True) as proxy,
        WatchClient(proxy.url) as client,
        Writer(fleet.producer.url) as writer,
    ):
        seen = Seen(client, "items/buffered")
        await eventually(lambda: client.state is State.LIVE, "it is live", within_s=20)
        assert (client.transport, proxy.refused, proxy.kept) == ("poll", 2, 1)
        await writer.put("items/buffered", 1)
        await eventually(lambda: seen.count == 1, "the change is seen")
        await seen.stop()


async def test_watches_share_one_websocket_unless_they_would_hinder_each_other(fleet: Fleet) -> None:
    async with WatchClient(fleet.servers[0].url) as client, Writer(fleet.producer.url) as writer:
        wanted = [("items", "state"), ("items/shared", "state"), ("items", "state"), ("items", "log")]
        seen = [Seen(client, path, mode=mode) for path, mode in wanted]
        await eventually(lambda: all("synced" in each.events for each in seen), "all are synced")
        version = (await writer.put("items/shared", 1)).version
        await eventually(lambda: all(each.versions["items/shared"] == [version] for each in seen), "all have seen it")
        for each in seen:
            await each.stop()


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_an_application_that_is_behind_misses_nothing_of_a_log(transport: str, fleet: Fleet) -> None:
    many = 4000
    name = f"behind-{transport}-"
    async with (
        WatchClient(fleet.servers[0].url, transports=[transport]) as client,
        Writer(fleet.producer.url) as writer,
    ):
        watch = client.watch(f"items?prefix={name}", mode="log")
        assert (await anext(watch)).event == "synced"
        for start in range(0, many, 1000):
            await writer.post("items", [{"id": f"{name}{n % 7}", "data": n} for n in range(start, start + 1000)])
        await eventually(lambda: watch.inbox.full, "no more is read")
        told: dict[str, list[int]] = defaultdict(list)
        most = 0
        for _ in range(many):
            most = max(most, len(watch.inbox))
            change = await anext(watch)
            # Whoever reads on without being asked to does so when the loop turns.
            await asyncio.sleep(0)
            told[change.resource].append(change.data)
    assert told == {f"items/{name}{k}": [n for n in range(many) if n % 7 == k] for k in range(7)}
    # One answer of a poll is taken whole.
    assert most == ROOM or transport == "poll"


async def test_a_watch_that_nobody_holds_any_more_is_closed(fleet: Fleet) -> None:
    async with WatchClient(fleet.servers[0].url) as client:
        async for change in client.watch("items"):
            if change.event == "synced":
                break
        assert client._made is not None  # noqa: SLF001 -- what it does for nobody can't be seen from outside
        await eventually(lambda: not client._made._inboxes, "the watch is closed")  # type: ignore[union-attr]  # noqa: SLF001 -- the same


async def test_a_store_follows_its_collection(fleet: Fleet) -> None:
    url, writes = fleet.servers[0].url, fleet.producer.url
    async with WatchClient(url) as client, WatchClient(writes) as writer:
        await writer.put_many("items", {"store-a": 1, "store-b": 2})
        async with client.store("items?prefix=store-") as store:
            await store.until_ready()
            await eventually(lambda: dict(store) == {"store-a": 1, "store-b": 2}, "both are there")
            await writer.delete("items/store-a")
            written = await writer.put("items/store-c", {"deep": [1]})
            async for changed in store.changes():
                if dict(changed) == {"store-b": 2, "store-c": {"deep": [1]}}:
                    break
            assert store.live
            await eventually(lambda: store.freshness is not None, "a bookmark says how fresh it is")
            assert store.freshness is not None
            assert store.freshness < 60
            assert store.skipped >= 0
        assert (await client.get("items/store-c", at_least=written.cursor)).data == {"deep": [1]}
        assert [change.resource async for change in client.listing("items?prefix=store-c")] == ["items/store-c"]
        with pytest.raises(WatchError, match="not_found"):
            await client.get("items/store-a", at_least=written.cursor)
        states = [client.state]
    assert [*states, client.state] == [State.CONNECTING, State.CLOSED]


def test_a_script_does_the_same_without_async(fleet: Fleet) -> None:
    with SyncClient(fleet.producer.url) as writer, SyncClient(fleet.servers[0].url) as client:
        written = writer.put("items/sync", "first")
        assert client.get("items/sync", at_least=written.cursor).data == "first"
        changes = client.watch("items/sync", cursor=written.cursor)
        writer.put("items/sync", "second")
        assert next(change.data for change in changes if change.event == "put") == "second"
        changes.close()
        assert [change.data for change in client.listing("items?prefix=sync")] == ["second"]
        writer.delete("items/sync")


async def test_one_bad_item_refuses_all_and_says_which(fleet: Fleet) -> None:
    async with WatchClient(fleet.producer.url) as writer:
        with pytest.raises(WatchError) as refused:
            await writer.put_many("items", [("good", 1), ("", 2)])
    assert refused.value.members["errors"][0]["index"] == 1
