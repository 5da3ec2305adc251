"""What a scenario has at hand."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from load.bench.cores import SERVER_CORE
from load.bench.floor import Floor
from load.bench.ground import Ground
from load.bench.plan import Plan, numbered
from load.bench.publisher import Publisher, publishing
from tests.support.broker import Broker

_LEDGER: Final = 1_000_000
_LEDGER_QUICK: Final = 2000
_LOADED_AT_ONCE: Final = 100_000


class Rig:
    """A broker, a publisher on it, the floor, and topics; `quick` scales everything down to what shows correctness."""

    def __init__(self, broker: Broker, folder: Path, publisher: Publisher, floor: Floor, *, quick: bool) -> None:
        self.broker = broker
        self.folder = folder
        self.publisher = publisher
        self.floor = floor
        self.quick = quick
        self._ledger: Ground | None = None
        self._loading = asyncio.Lock()

    def size(self, full: int, quick: int) -> int:
        """The first, or the second where it has to be quick."""
        return quick if self.quick else full

    async def ground(self, *collections: str) -> Ground:
        """Fresh topics."""
        ground = Ground(self.broker, self.folder, collections, None if self.quick else SERVER_CORE)
        await ground.make()
        return ground

    async def load(self, topic: str, ids: list[str]) -> None:
        """Give each resource its first state."""
        for start in range(0, len(ids), _LOADED_AT_ONCE):
            piece = ids[start : start + _LOADED_AT_ONCE]
            await self.publisher.at_once(topic, Plan(piece, len(piece)), last=False)

    async def ledger(self) -> Ground:
        """A collection `ledger` of a million resources (`ledger_ids`), loaded when it is first asked for."""
        async with self._loading:
            if self._ledger is None:
                ground = await self.ground("ledger")
                await self.load(ground.topic("ledger"), self.ledger_ids)
                self._ledger = ground
        return self._ledger

    @property
    def ledger_ids(self) -> list[str]:
        """The ids in the ledger."""
        return numbered(self.size(_LEDGER, _LEDGER_QUICK))


@asynccontextmanager
async def rigged(broker: Broker, *, quick: bool) -> AsyncIterator[Rig]:
    """A rig on a broker that runs."""
    with tempfile.TemporaryDirectory(prefix="watchroute-bench-") as folder:
        async with publishing(broker.bootstrap) as publisher:
            floor = await Floor.make(Path(folder))
            yield Rig(broker, Path(folder), publisher, floor, quick=quick)
