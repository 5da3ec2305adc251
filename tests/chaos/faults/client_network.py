"""Clients whose network goes away without a word."""

import asyncio
from typing import Final

from infra.cluster.deadline import until
from tests.chaos.faults.fault import Fault
from tests.chaos.trial import Trial
from tests.support.fault_proxy import FaultProxy, Streams

CUT_S: Final = 3


class ClientsCut(Fault):
    """A cable is pulled out: no FIN and no RST, on either side."""

    name = "clients' network cut without FIN"
    restless = False

    def __init__(self) -> None:
        self._relay: FaultProxy | None = None

    async def prepare(self, trial: Trial) -> None:
        network, door = trial.stage.network, trial.stage.cluster.door
        assert network is not None, "needs a network of its own"

        async def dial() -> Streams:
            return await asyncio.open_connection(sock=await network.connect(door.port))

        self._relay = await FaultProxy(dial).__aenter__()
        for watcher in trial.watchers[::2]:
            watcher.url = f"https://localhost:{self._relay.port}"

    async def strike(self, trial: Trial) -> str:
        network, relay, there = trial.stage.network, self._relay, trial.watchers[::2]
        assert network is not None
        assert relay is not None
        silences, passed = sum(watcher.silences for watcher in there), relay.connections
        assert passed > 0, "nobody is in that network"
        network.cut()

        async def noticed() -> bool:
            return sum(watcher.silences for watcher in there) >= silences + len(there)

        await until(noticed, "everyone there has fallen silent")
        await asyncio.sleep(CUT_S)
        assert not any(watcher.heard for watcher in there), "somebody was heard through a cable that was pulled out"
        network.mend()
        return f"{len(there)} watchers heard nothing, {passed} connections were cut, and nobody was told"

    async def restore(self, trial: Trial) -> None:
        if self._relay is not None:
            await self._relay.__aexit__()
