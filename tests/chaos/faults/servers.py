"""Push servers that die, hang, or are restarted one after another."""

import asyncio
from typing import Final

from infra.cluster.service import Service
from tests.chaos.faults.fault import Fault
from tests.chaos.follower import Follower
from tests.chaos.stage import metric
from tests.chaos.trial import Trial

FROZEN_S: Final = 20


async def watched(trial: Trial, service: Service) -> float:
    """How many watchers a push server has."""
    return await metric(service, "watchroute_connections")


async def busiest(trial: Trial) -> Service:
    """The push server with the most watchers."""
    counts = {server.name: await watched(trial, server) for server in trial.stage.servers}
    return max(trial.stage.servers, key=lambda server: counts[server.name])


def _number(trial: Trial, server: Service) -> int:
    return trial.stage.servers.index(server) + 1


class ServerKilled(Fault):
    """SIGKILL, and a new process in its place."""

    name = "push server SIGKILL"

    async def strike(self, trial: Trial) -> str:
        server = await busiest(trial)
        watchers, before = await watched(trial, server), server.process.pid
        assert watchers > 0, "nobody watched at the server that was to be killed"
        await server.kill()
        await trial.stage.cluster.door.until_status(f"pushserver{_number(trial, server)}", "DOWN")
        await trial.flowing(20)
        await server.start()
        assert server.process.pid != before
        return f"{server.name} died with {watchers:.0f} watchers, pid {before} → {server.process.pid}"


class ServerFrozen(Fault):
    """SIGSTOP for a while: connections stay open, and nothing answers."""

    name = "push server SIGSTOP 20 s"

    async def strike(self, trial: Trial) -> str:
        server = await busiest(trial)
        watchers = await watched(trial, server)
        assert watchers > 0, "nobody watched at the server that was to be frozen"
        server.freeze()
        await asyncio.sleep(FROZEN_S)
        assert await trial.stage.cluster.door.status(f"pushserver{_number(trial, server)}") == "DOWN"
        server.thaw()
        return f"{server.name} stopped with {watchers:.0f} watchers; HAProxy took it for down"


class RollingRestart(Fault):
    """Every push server is stopped and started, one after another."""

    name = "rolling restart"

    async def strike(self, trial: Trial) -> str:
        before = [server.process.pid for server in trial.stage.servers]
        told = sum(map(goodbyes, trial.watchers))
        for number, server in enumerate(trial.stage.servers, 1):
            assert await server.stop() == 0, f"{server.name} did not end as it should:\n{server.log_tail()}"
            await server.start()
            await trial.stage.cluster.door.until_status(f"pushserver{number}", "UP")
        after = [server.process.pid for server in trial.stage.servers]
        assert not set(before) & set(after)
        told = sum(map(goodbyes, trial.watchers)) - told
        assert told > 0, "no watcher was told to go away"
        return f"{len(after)} servers have new pids, {told} watchers were told to go away"


def goodbyes(watcher: Follower) -> int:
    """How often a watcher was told that its server leaves."""
    entries = (entry for connection in watcher.history.connections for entry in connection.entries)
    return sum(entry.frame is not None and entry.frame["event"] == "goaway" for entry in entries)
