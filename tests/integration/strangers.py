"""A push server without Kafka, and clients of which it knows nothing yet."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import orjson

from services.pushserver.app import PushServer
from services.pushserver.channel import Channel
from shared.event import Event
from shared.serving import Listener
from tests.integration.handing_off import UPGRADE
from tests.support.server import RawClient, eventually, metric, push_server

HEAD_TIMEOUT_S: Final = 0.3
READ: Final = b"GET /v1/items/a HTTP/1.1\r\nHost: here\r\n\r\n"
STREAM: Final = b"GET /v1/items/a/stream HTTP/1.1\r\nHost: here\r\n\r\n"
HANDSHAKE: Final = UPGRADE.replace(b"/ws", b"/v1/items/a/ws")
TOLD: Final = b"\r\n\r\n1"
"""The end of the answer to READ."""


class Door:
    """The server, and whoever comes to it."""

    def __init__(self, server: PushServer, listener: Listener) -> None:
        self.server = server
        self._listener = listener
        self.clients: list[RawClient] = []

    async def come(self, *pieces: bytes) -> RawClient:
        """A client that says this."""
        client = await RawClient.connect(self._listener.port)
        self.clients.append(client)
        client.send(*pieces)
        return client

    async def poll(self, wait_s: int) -> bytes:
        """A request that waits for a change: there is none."""
        client = await self.come(b"GET /v1/items/a/poll HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
        body = (await client.rest()).partition(b"\r\n\r\n")[2]
        return b"GET /v1/items/a/poll?wait=%d&cursor=%b HTTP/1.1\r\nHost: here\r\n\r\n" % (
            wait_s,
            orjson.loads(body)["cursor"].encode(),
        )

    @property
    def busy(self) -> int:
        """How many connections and requests the server has."""
        return len(self._listener._server.server_state.tasks) + self._listener.connections  # noqa: SLF001 -- uvicorn tells it nowhere

    def turned_away(self, reason: str) -> float:
        """How many, by its metric."""
        return metric(self.server, "turned_away_total", reason=reason)


@asynccontextmanager
async def door(**settings: Any) -> AsyncIterator[Door]:
    """A door with these limits; at the end nothing is kept of anybody."""
    server = push_server("127.0.0.1:1", {"items": {}}, **{"head_timeout_s": HEAD_TIMEOUT_S, **settings})
    channel = Channel.empty(server.hub.catalog.get("items"), b"epoch", 1)
    server.hub.serve(channel)
    server.hub.broadcast(channel, [Event("a", 0, 0, 0, b"1")], {0: 1})
    listener = server.listener()
    await listener.start()
    opened = Door(server, listener)
    try:
        yield opened
    finally:
        for client in opened.clients:
            client.writer.transport.abort()
        await listener.stop(1)
    await eventually(lambda: not server.doorstep.strangers and not len(server.doorstep), "all are forgotten")


async def status(client: RawClient) -> int:
    """Of the next answer."""
    return int((await client.until(b"\r\n"))[9:12])


async def refusal(client: RawClient) -> tuple[int, str]:
    """The status and the code of what is said before the server hangs up."""
    head, _, body = (await client.rest()).partition(b"\r\n\r\n")
    assert b"Connection: close" in head
    return int(head[9:12]), str(orjson.loads(body)["code"])
