"""The bad network does what its names say, to both sides."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest_asyncio

from infra.cluster.port import ReservedPort
from infra.cluster.process import HOST
from tests.support.fault_proxy import FaultProxy, Streams


@pytest_asyncio.fixture(loop_scope="session")
async def proxy() -> AsyncIterator[FaultProxy]:
    """A proxy before a server that sends back what it gets."""
    port = ReservedPort()

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(1000):
                writer.write(piece)
        writer.transport.abort()

    async def dial() -> Streams:
        return await asyncio.open_connection(HOST, port.number)

    server = await asyncio.start_server(echo, HOST, port.number)
    async with FaultProxy(dial) as opened:
        yield opened
    server.close()
    await server.wait_closed()


async def asked(connected: Streams, within_s: float) -> bytes:
    """What comes back; nothing when nothing does in time, or the connection has ended."""
    reader, writer = connected
    writer.write(b"x" * 100)
    try:
        async with asyncio.timeout(within_s):
            return await reader.read(1000)
    except (TimeoutError, ConnectionError):
        return b""


Connect = Callable[[], Awaitable[Streams]]


@pytest_asyncio.fixture(loop_scope="session")
async def connect(proxy: FaultProxy) -> AsyncIterator[Connect]:
    opened: list[Streams] = []

    async def connect() -> Streams:
        opened.append(await asyncio.open_connection(HOST, proxy.port))
        return opened[-1]

    yield connect
    for _, writer in opened:
        writer.transport.abort()


async def test_a_good_network_passes_everything(proxy: FaultProxy, connect: Connect) -> None:
    connected = await connect()
    assert await asked(connected, 5) == b"x" * 100
    assert (proxy.connections, proxy.accepted, proxy.refused, proxy.held_back) == (1, 1, 0, 0)


async def test_latency_and_throttle_take_their_time(proxy: FaultProxy, connect: Connect) -> None:
    connected = await connect()
    for delay_s, bytes_per_s in ((0.1, 0), (0.0, 1000)):
        proxy.delay_s, proxy.bytes_per_s = delay_s, bytes_per_s
        began_s = time.monotonic()
        assert await asked(connected, 5) == b"x" * 100
        assert time.monotonic() - began_s > 0.19
    assert proxy.held_back == 4


async def test_a_cut_network_resets_those_who_are_there_and_those_who_come(proxy: FaultProxy, connect: Connect) -> None:
    there = await connect()
    assert await asked(there, 5)
    proxy.cut()
    assert await asked(there, 5) == b""
    assert await asked(await connect(), 5) == b""
    assert (proxy.refused, proxy.connections) == (1, 0)
    proxy.mend()
    assert await asked(await connect(), 5)


async def test_a_half_open_connection_stays_silent_for_good_and_a_new_one_is_served(
    proxy: FaultProxy, connect: Connect
) -> None:
    there = await connect()
    assert await asked(there, 5)
    proxy.forget()
    assert await asked(there, 0.2) == b""
    assert not there[0].at_eof()
    proxy.mend()
    assert await asked(there, 0.2) == b""
    assert await asked(await connect(), 5)
    assert (proxy.forgotten, proxy.connections) == (1, 2)
