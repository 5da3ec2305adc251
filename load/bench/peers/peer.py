"""Somebody else's server, as a process that is measured like ours."""

import asyncio
import tempfile
from abc import abstractmethod
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from pathlib import Path

from infra.cluster.port import ReservedPort
from infra.cluster.process import HOST, Process
from load.bench.cores import pin
from load.bench.ground import Ground


class Peer(Process):
    """Tells the changes of a topic to WebSockets; it listens once it is ready."""

    def __init__(self, name: str, ground: Ground, topic: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=ground.folder))
        super().__init__(name, self.folder / "log")
        self.ground = ground
        self.topic = topic
        self.reserved = ReservedPort()

    @property
    def port(self) -> int:
        """Where readers go."""
        return self.reserved.number

    @property
    def pid(self) -> int:
        """The process that writes to the readers."""
        return self.process.pid

    @abstractmethod
    def target(self, resource_id: str) -> str:
        """Where one resource is watched."""

    def fed(self) -> AbstractAsyncContextManager[None]:
        """Whatever brings the changes there; nothing for one that reads Kafka itself."""
        return nullcontext()

    async def ready(self) -> bool:
        """Whether somebody listens."""
        try:
            _, writer = await asyncio.open_connection(HOST, self.port)
        except OSError:
            return False
        writer.close()
        return True


@asynccontextmanager
async def running(peer: Peer) -> AsyncIterator[Peer]:
    """Launch it on the server's core, and give it once it is ready and fed."""
    try:
        peer.launch()
        if peer.ground.server_core is not None:
            pin(peer.process.pid, peer.ground.server_core)
        await peer.wait_ready()
        async with peer.fed():
            yield peer
    finally:
        await peer.shut()
