"""What one writes in an afternoon: Starlette, aiokafka, and a dict of sockets.

    python -m load.bench.peers.afternoon PORT BOOTSTRAP TOPIC

It is better than most in one thing, the state that comes before the changes. It lacks what they lack: nobody resumes,
and a reader who has stopped holds up everybody.
"""

import asyncio
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

import uvicorn
from aiokafka import AIOKafkaConsumer
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from infra.cluster.process import HOST
from load.bench.peers.told import SYNCED, frame


class Afternoon:
    """The newest frame of each resource, and the sockets that watch it."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._consumer = partial(
            AIOKafkaConsumer, topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
        )
        self._newest: dict[str, str] = {}
        self._sockets: defaultdict[str, set[WebSocket]] = defaultdict(set)

    async def watch(self, socket: WebSocket) -> None:
        """Tell one socket until it leaves."""
        resource_id = socket.path_params["id"]
        await socket.accept(subprotocol=next(iter(socket.scope["subprotocols"]), None))
        with suppress(WebSocketDisconnect):
            await socket.send_text(self._newest.get(resource_id, SYNCED))
            await socket.send_text(SYNCED)
            self._sockets[resource_id].add(socket)
            while True:
                await socket.receive_text()
        self._sockets[resource_id].discard(socket)

    @asynccontextmanager
    async def reading(self, _app: Starlette) -> AsyncIterator[None]:
        """Read what is there, and go on reading meanwhile."""
        async with self._consumer() as consumer:
            ends = await consumer.end_offsets(consumer.assignment())
            while any([await consumer.position(partition) < end for partition, end in ends.items()]):
                await self._tell(await consumer.getone())
            reading = asyncio.create_task(self._read(consumer))
            yield
            reading.cancel()

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        async for record in consumer:
            await self._tell(record)

    async def _tell(self, record: object) -> None:
        told = frame(record)
        resource_id = record.key.decode()  # type: ignore[attr-defined]
        self._newest[resource_id] = told
        for socket in list(self._sockets[resource_id]):
            with suppress(WebSocketDisconnect):
                await socket.send_text(told)


def main(port: str, bootstrap: str, topic: str) -> None:
    """Serve until it is told to end."""
    afternoon = Afternoon(bootstrap, topic)
    app = Starlette(routes=[WebSocketRoute("/{id}", afternoon.watch)], lifespan=afternoon.reading)
    # The payload of a ping is random: a reader that counts bytes would count it.
    uvicorn.run(app, host=HOST, port=int(port), log_level="warning", backlog=4096, ws_ping_interval=None)


if __name__ == "__main__":
    main(*sys.argv[1:])
