"""A push server whose clock is wrong."""

import time
from pathlib import Path
from typing import Final

from infra.cluster.service import Service
from tests.chaos.faults.fault import Fault
from tests.chaos.stage import metric
from tests.chaos.trial import Trial

OFF_S: Final = 3600
LIBRARY: Final = "faketime/libfaketimeMT.so.1"


class ClockOff(Fault):
    """One push server lives an hour ahead; its neighbour dies, so that cursors go both ways between the two times."""

    name = "clock of a push server 1 h off"

    async def prepare(self, trial: Trial) -> None:
        off = _off(trial)
        off.variables |= {
            "LD_PRELOAD": str(_library()),
            "FAKETIME": f"+{OFF_S}s",
            # Timers and timeouts go by the monotonic clock, which no operator can set.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        await _restart(trial, off)

    async def strike(self, trial: Trial) -> str:
        off, other = _off(trial), trial.stage.servers[1]
        ahead_s = await metric(off, "watchroute_as_of_seconds", trial.collection) - time.time()
        assert abs(ahead_s - OFF_S) < 60, ahead_s
        await other.kill()
        await trial.flowing(40)
        watchers = await metric(off, "watchroute_connections")
        assert watchers > 0, f"nobody watched at {off.name}"
        shown_s = await metric(off, "watchroute_clock_ahead_seconds")
        assert abs(shown_s - OFF_S) < 60, f"operators are shown {shown_s} s"
        await other.start()
        await trial.stage.cluster.door.until_status("pushserver2", "UP")
        await trial.flowing(20)
        await off.kill()
        await trial.flowing(20)
        await off.start()
        return f"{off.name}, with {watchers:.0f} watchers, was {ahead_s:.0f} s ahead"

    async def restore(self, trial: Trial) -> None:
        off = _off(trial)
        for name in ("LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC"):
            off.variables.pop(name, None)
        await _restart(trial, off)


def _library() -> Path:
    found = next(Path("/usr/lib").glob(f"*/{LIBRARY}"), None)
    assert found is not None, "libfaketime is missing (Debian's package of that name)"
    return found


def _off(trial: Trial) -> Service:
    return trial.stage.servers[0]


async def _restart(trial: Trial, server: Service) -> None:
    if server.running:
        await server.stop()
    await server.start()
    await trial.stage.cluster.door.until_status("pushserver1", "UP")
