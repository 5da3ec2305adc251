"""HAProxy reloaded, and killed."""

from pathlib import Path

from infra.cluster.deadline import until
from infra.cluster.front_door import FrontDoor
from tests.chaos.faults.fault import Fault
from tests.chaos.trial import Trial


class DoorReloaded(Fault):
    """A new worker takes whoever comes, and the old one ends."""

    name = "HAProxy reload"

    async def strike(self, trial: Trial) -> str:
        door = trial.stage.cluster.door
        (before,) = workers(door)
        door.reload()

        async def replaced() -> bool:
            now = workers(door)
            return len(now) == 1 and before not in now

        await until(replaced, "the old worker has ended", within_s=20)
        (after,) = workers(door)
        return f"worker {before} → {after}, of the same master {door.process.pid}"


class DoorKilled(Fault):
    """SIGKILL to all of it, and a new one."""

    name = "HAProxy SIGKILL"

    async def strike(self, trial: Trial) -> str:
        door = trial.stage.cluster.door
        before = door.process.pid
        heard = [watcher for watcher in trial.watchers if watcher.heard]
        await door.kill()

        async def all_cut() -> bool:
            return not any(watcher.heard for watcher in heard if watcher.streams)

        await until(all_cut, "every stream is cut", within_s=10)
        await door.start()
        assert door.process.pid != before
        return f"pid {before} → {door.process.pid}, {len(heard)} watchers had lost it"


def workers(door: FrontDoor) -> list[int]:
    """The processes that the master has now."""
    pid = door.process.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
