"""Readers that lie behind a dead network, or have only stopped: the former are gone soon, the latter are not."""

import asyncio
import functools
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
import uvloop

from services.pushserver.transports import peer
from tests.support.client_socket import SocketWatcher, connect
from tests.support.fed_server import RESOURCES, FedServer, fed_server
from tests.support.network import Network, NoNetwork
from tests.support.recording import Recording
from tests.support.server import eventually

WIRES = pytest.mark.parametrize("wire", ["ws", "sse"])
SMALL = 16 * 1024
DEAD_PEER_S = 0.6
BOOKMARKS_S = 0.25
SLACK_S = 1.0


def on_uvloop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test on the loop that push servers run on: how it meets a connection that breaks is part of the matter."""

    @functools.wraps(test)
    def run(**fixtures: Any) -> None:
        uvloop.run(test(**fixtures))

    return run


@pytest.fixture
def network() -> Iterator[Network]:
    """A network of the test's own."""
    network = Network()
    try:
        network.__enter__()
    except NoNetwork as missing:
        pytest.skip(str(missing))
    yield network
    network.__exit__()


async def far_reader(
    network: Network, fed: FedServer, wire: str, mode: str = "state", cursor: str | None = None
) -> SocketWatcher:
    """A watcher at the other end of a network."""
    connected = await network.connect(fed.port, buffer_bytes=SMALL)
    return await fed.reader(connected, wire, mode, cursor)


async def near_reader(fed: FedServer, wire: str, mode: str = "state", cursor: str | None = None) -> SocketWatcher:
    """A watcher on this machine, with little memory."""
    return await fed.reader(await connect(fed.url, buffer_bytes=SMALL), wire, mode, cursor)


async def passed(seconds: float, meanwhile: Callable[[], None]) -> None:
    """Do something again and again for so long: what must not happen is given the time to happen."""
    end = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < end:
        meanwhile()
        await asyncio.sleep(0.01)


def still_writing(fed: FedServer, seconds: float) -> Callable[[], bool]:
    """Feeds more than anyone here reads until it is asked again, and is true after so long."""
    end = asyncio.get_running_loop().time() + seconds

    def over() -> bool:
        fed.write(32)
        return asyncio.get_running_loop().time() > end

    return over


def versions(seen: Recording) -> list[int]:
    told = [int(frame["version"]) for frame in seen.data]
    assert told == sorted(set(told)), "each later than the one before"
    return told


def skipped(seen: Recording) -> int:
    return sum(frame["skipped"] for frame in seen.frames if frame["event"] == "bookmark")


def accounted(fed: FedServer, seen: Recording) -> bool:
    """Whether every event was told or counted as skipped."""
    return skipped(seen) + len(seen.data) == fed.written


@WIRES
@pytest.mark.parametrize("mode", ["state", "log"])
@on_uvloop
async def test_a_reader_of_a_busy_collection_behind_a_dead_network_is_gone_in_time(
    network: Network, wire: str, mode: str
) -> None:
    async with fed_server(network.host, dead_peer_s=DEAD_PEER_S, bookmark_interval_s=BOOKMARKS_S) as fed:
        reader = await far_reader(network, fed, wire, mode)
        fed.write(8)
        await reader.read(fed.newest)
        network.cut()
        await fed.fill()
        assert await fed.left(DEAD_PEER_S + SLACK_S) > DEAD_PEER_S / 2
        assert fed.closed == {"dead_peer": 1}
        fed.write(8)
        network.mend()
        again = await far_reader(network, fed, wire, mode, reader.recording.cursor)
        assert again.recording.frames[-1]["resumed"] is True
        wanted = range(fed.written) if mode == "log" else range(fed.written - RESOURCES, fed.written)
        assert {*versions(reader.recording), *versions(again.recording)} >= set(wanted)


@WIRES
@on_uvloop
async def test_an_idle_reader_behind_a_dead_network_is_found_by_its_next_bookmark(network: Network, wire: str) -> None:
    async with fed_server(network.host, dead_peer_s=DEAD_PEER_S, bookmark_interval_s=BOOKMARKS_S) as fed:
        await far_reader(network, fed, wire)
        network.cut()
        assert await fed.left(1.2 * BOOKMARKS_S + DEAD_PEER_S + SLACK_S) > DEAD_PEER_S / 2
        assert fed.closed == {"dead_peer": 1}


@WIRES
@pytest.mark.parametrize("mode", ["state", "log"])
@on_uvloop
async def test_a_network_that_is_back_in_time_costs_nobody_the_connection(
    network: Network, wire: str, mode: str
) -> None:
    async with fed_server(network.host, dead_peer_s=10) as fed:
        reader = await far_reader(network, fed, wire, mode)
        network.cut()
        await fed.fill()
        fed.write(20 * RESOURCES)
        network.mend()
        await reader.read(fed.newest)
        await reader.read(lambda seen: accounted(fed, seen))
        assert (skipped(reader.recording) > 0) == (mode == "state")
        assert not fed.closed


@WIRES
@on_uvloop
async def test_a_reader_that_has_only_stopped_is_not_taken_for_dead(wire: str) -> None:
    async with fed_server(dead_peer_s=DEAD_PEER_S, bookmark_interval_s=BOOKMARKS_S) as fed:
        reader = await near_reader(fed, wire)
        await fed.fill()
        await passed(3 * DEAD_PEER_S, fed.write)
        await reader.read(fed.newest)
        await reader.read(lambda seen: accounted(fed, seen))
        assert skipped(reader.recording) > 0
        assert not fed.closed


@WIRES
@on_uvloop
async def test_a_reader_that_stopped_and_then_died_is_gone_when_a_stalled_one_would_be(
    network: Network, wire: str
) -> None:
    async with fed_server(network.host, dead_peer_s=DEAD_PEER_S, stalled_s=1.5, bookmark_interval_s=BOOKMARKS_S) as fed:
        await far_reader(network, fed, wire)
        await fed.fill()
        await passed(1.5 * DEAD_PEER_S, fed.write)
        network.cut()
        await fed.left(2 * 1.5 + SLACK_S)
        assert sum(fed.closed.values()) == 1


@WIRES
@on_uvloop
async def test_one_that_went_on_after_a_stall_and_then_died_is_gone_in_time(network: Network, wire: str) -> None:
    async with fed_server(network.host, dead_peer_s=DEAD_PEER_S, bookmark_interval_s=BOOKMARKS_S) as fed:
        reader = await far_reader(network, fed, wire)
        await fed.fill()
        await passed(1.5 * DEAD_PEER_S, fed.write)
        await reader.read(fed.newest)
        network.cut()
        await fed.left(2 * 1.2 * BOOKMARKS_S + DEAD_PEER_S + SLACK_S)
        assert fed.closed == {"dead_peer": 1}


@WIRES
@on_uvloop
async def test_a_reader_that_takes_no_byte_for_too_long_is_ended_with_a_cursor(wire: str) -> None:
    async with fed_server(stalled_s=0.5) as fed:
        reader = await near_reader(fed, wire, "log")
        await fed.fill()
        await eventually(lambda: fed.closed == {"slow": 1}, "it is ended")
        end = await reader.read_to_end()
        assert end.code == (4008 if wire == "ws" else 0), end
        again = await near_reader(fed, wire, "log", reader.recording.cursor)
        assert {*versions(reader.recording), *versions(again.recording)} == set(range(fed.written))


@WIRES
@on_uvloop
async def test_one_that_does_not_even_read_that_it_was_ended_is_cut(wire: str) -> None:
    async with fed_server(stalled_s=0.5) as fed:
        await near_reader(fed, wire)
        await fed.fill()
        await fed.left(5)
        assert fed.closed == {"slow": 1}


@WIRES
@on_uvloop
async def test_one_that_was_sent_away_while_it_did_not_read_is_cut(wire: str) -> None:
    async with fed_server(stalled_s=0.5) as fed:
        await near_reader(fed, wire)
        await fed.fill()
        fed.server.reception.overlap.send_away(fed.subscribers[0])
        await fed.left(5)
        assert fed.closed == {"going_away": 1}


@WIRES
@on_uvloop
async def test_who_reads_a_little_is_slow_and_not_stalled(network: Network, wire: str) -> None:
    async with fed_server(network.host, stalled_s=1, dead_peer_s=DEAD_PEER_S) as fed:
        reader = await far_reader(network, fed, wire)
        await fed.fill()
        await reader.trickle(65_536, still_writing(fed, 3))
        assert not fed.closed
        await reader.read(fed.newest)
        await reader.read(lambda seen: accounted(fed, seen))


@pytest.mark.parametrize("answering", [True, False])
@on_uvloop
async def test_whoever_answers_no_ping_is_gone_where_pings_are_on(*, answering: bool) -> None:
    async with fed_server(websocket_ping="on", dead_peer_s=DEAD_PEER_S) as fed:
        reader = await near_reader(fed, "ws")

        async def live() -> None:
            for number in range(1, 20):
                await reader.read(lambda _, number=number: reader.wire.pings >= number)  # type: ignore[misc]
                if answering:
                    await reader.pong()

        if answering:
            await live()
            assert not fed.closed
        else:
            living = asyncio.create_task(live())
            assert await fed.left(1.2 * 0.15 + DEAD_PEER_S + SLACK_S) >= DEAD_PEER_S
            assert fed.closed == {"dead_peer": 1}
            assert reader.wire.pings == 1, "one question at a time"
            living.cancel()


@on_uvloop
async def test_a_reader_that_has_only_stopped_need_not_answer() -> None:
    async with fed_server(websocket_ping="on", dead_peer_s=DEAD_PEER_S, bookmark_interval_s=BOOKMARKS_S) as fed:
        reader = await near_reader(fed, "ws")
        # Asked, and then it stops: it can't know of it.
        await reader.read(lambda _: reader.wire.pings)
        await fed.fill()
        await passed(2 * DEAD_PEER_S, fed.write)
        await reader.read(fed.newest)
        assert not fed.closed


@on_uvloop
async def test_nobody_is_pinged_where_the_kernel_finds_the_dead() -> None:
    async with fed_server() as fed:
        reader = await near_reader(fed, "ws")
        await reader.read(lambda seen: sum(frame["event"] == "bookmark" for frame in seen.frames) > 3)
        assert reader.wire.pings == 0


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system whose kernel says nothing of peers."""
    monkeypatch.setattr(peer, "_INFO", None)
    monkeypatch.setattr(peer, "_USER_TIMEOUT", None)


@on_uvloop
async def test_elsewhere_clients_are_pinged(elsewhere: None) -> None:
    async with fed_server(dead_peer_s=DEAD_PEER_S) as fed:
        reader = await near_reader(fed, "ws")
        await reader.read(lambda _: reader.wire.pings)
        await fed.left(DEAD_PEER_S + SLACK_S)
        assert fed.closed == {"dead_peer": 1}


@WIRES
@on_uvloop
async def test_elsewhere_a_stalled_reader_is_cut_and_a_slow_one_is_not(elsewhere: None, wire: str) -> None:
    async with fed_server(stalled_s=1, dead_peer_s=30) as fed:
        reader = await near_reader(fed, wire)
        await fed.fill()
        await reader.trickle(200_000, still_writing(fed, 2.5))
        assert not fed.closed
        await fed.fill()
        await eventually(lambda: fed.closed == {"slow": 1}, "it is ended")
