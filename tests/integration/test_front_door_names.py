"""Servers that the front door finds by DNS."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from infra.cluster.deadline import until
from infra.cluster.front_door import FrontDoor
from tests.integration.fronted import quick_door
from tests.support.fleet import free_port
from tests.support.front_client import DoorHttp
from tests.support.name_server import NameServer

FIRST: Final = "127.0.2.1"
SECOND: Final = "127.0.2.2"


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server that is ready, and says its address to everyone."""
    await reader.readuntil(b"\r\n\r\n")
    address = writer.get_extra_info("sockname")[0].encode()
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(address) + address)
    await writer.drain()
    writer.close()


@asynccontextmanager
async def named_door(folder: Path, certificate: Path, names: NameServer) -> AsyncIterator[FrontDoor]:
    """A door that asks this name server, before servers at any address that it may say."""
    port = free_port()
    environment = {"FRONT_NAMESERVER": f"127.0.0.1:{names.port}", "FRONT_PUSHSERVER_DNS": "push.test"}
    environment |= {"FRONT_PUSHSERVER_PORT": str(port), "FRONT_PUSHSERVER_ADMIN": str(port)}
    async with AsyncExitStack() as stack:
        for address in (FIRST, SECOND):
            server = await asyncio.start_server(answer, address, port)
            stack.callback(server.close)
        yield await stack.enter_async_context(quick_door(folder, certificate, environment, servers="dns"))


async def seen_by(door: FrontDoor) -> set[str]:
    """Which servers answer a few sources."""
    seen = set()
    for number in range(1, 17):
        async with DoorHttp(door.url, source=f"127.0.1.{number}") as http:
            got = await http.get("/v1/items")
            seen.add(got.body.decode() if got.status == 200 else "")
    return seen


async def test_a_server_is_found_when_dns_names_it_and_serves_at_once(certificate: Path, tmp_path: Path) -> None:
    async with NameServer() as names, named_door(tmp_path, certificate, names) as door:
        names.addresses = [FIRST]

        async def only_first() -> bool:
            return await seen_by(door) == {FIRST}

        async def both() -> bool:
            return await seen_by(door) == {FIRST, SECOND}

        await until(only_first, "the one that is named serves everyone")
        names.addresses = [FIRST, SECOND]
        await until(both, "both serve")
