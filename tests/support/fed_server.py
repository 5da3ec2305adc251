"""A push server that is fed by hand: no Kafka, one collection `items`, and readers over real sockets."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from services.pushserver.app import PushServer
from services.pushserver.channel import Channel
from services.pushserver.subscriber import Subscriber
from services.pushserver.transports.connection import Connection
from shared.event import Event
from tests.support.client import Ask, Watch
from tests.support.client_socket import SocketWatcher
from tests.support.recording import Recording
from tests.support.server import HOST, eventually, push_server

RESOURCES: Final = 4
_VALUE: Final = b'"%b"' % (b"x" * 4000)
_GRACE_S: Final = 0.5


class FedServer:
    """`written` is how many events it was fed; version n is the n-th, of resource n modulo RESOURCES."""

    def __init__(self, server: PushServer, channel: Channel, host: str) -> None:
        self.server = server
        self.written = 0
        self.host = host
        self.port = 0
        self.readers: list[SocketWatcher] = []
        self._channel = channel

    @property
    def url(self) -> str:
        """Where readers go."""
        return f"http://{self.host}:{self.port}"

    @property
    def subscribers(self) -> list[Subscriber]:
        """Those who watch now."""
        return list(self.server.hub.wheel)

    @property
    def closed(self) -> dict[str, int]:
        """How connections have ended so far."""
        return dict(self.server.hub.counters.closed)

    async def reader(self, connected: socket.socket, wire: str, mode: str, cursor: str | None) -> SocketWatcher:
        """All of the collection over a connection to it, live only unless from a cursor; closed with the server."""
        watch = Ask((Watch("items"),), mode=mode, snapshot=None if cursor else False, cursor=cursor)
        self.readers.append(SocketWatcher(connected, wire))
        await self.readers[-1].watch(watch)
        return self.readers[-1]

    def hang_up(self) -> None:
        """End all connections at both ends: uvloop closes no loop before they are gone."""
        for reader in self.readers:
            reader.close()
        for subscriber in self.subscribers:
            if isinstance(subscriber.sink, Connection):
                subscriber.sink.transport.abort()

    def write(self, count: int = 1) -> None:
        """Feed events of 4 KB each, one batch each."""
        for offset in range(self.written, self.written + count):
            event = Event(f"r{offset % RESOURCES}", 0, offset, 0, _VALUE)
            self.server.hub.broadcast(self._channel, [event], {0: offset + 1})
        self.written += count

    async def fill(self) -> None:
        """Feed until the only reader's socket is full."""
        (subscriber,) = self.subscribers

        async def full() -> bool:
            self.write(8)
            # What the transport does with it happens when the loop turns.
            await asyncio.sleep(0)
            return subscriber.blocked

        async with asyncio.timeout(10):
            while not await full():
                continue

    async def left(self, within_s: float) -> float:
        """Wait until the server has forgotten its readers; returns how many seconds that took."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        await eventually(lambda: not self.subscribers, "it has forgotten its readers", within_s=within_s)
        return loop.time() - began

    def newest(self, seen: Recording) -> bool:
        """Whether the newest event of each resource has come."""
        last = {int(frame["version"]) for frame in seen.data[-RESOURCES:]}
        return last == set(range(self.written - RESOURCES, self.written))


@asynccontextmanager
async def fed_server(host: str = HOST, **settings: Any) -> AsyncIterator[FedServer]:
    """Run one; `settings` are of its `[pushserver]` table."""
    server = push_server("127.0.0.1:1", {"items": {"modes": ["state", "log"]}}, host=host, **settings)
    channel = Channel.empty(server.hub.catalog.get("items"), b"epoch", 1)
    server.hub.serve(channel)
    listener = server.listener()
    await listener.start()
    heartbeat = asyncio.create_task(server.heartbeat.run())
    fed = FedServer(server, channel, host)
    fed.port = listener.port
    try:
        yield fed
        assert not heartbeat.done(), heartbeat
    finally:
        heartbeat.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await heartbeat
        fed.hang_up()
        await listener.stop(_GRACE_S)
