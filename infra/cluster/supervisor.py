"""Whatever dies is started again."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from infra.cluster.process import Process, ProcessFailed

_LOOK_EVERY_S: Final = 0.2
_SHORTEST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 30.0

Tell = Callable[[str], None]


class Supervisor:
    """Looks after processes that run: one that ends is started again, at once, and after a pause that doubles.

    The pause is back at its shortest when the process has become ready. `tell` gets a line for each end and start.
    """

    def __init__(self, processes: Iterable[Process], tell: Tell) -> None:
        self._processes = list(processes)
        self._tell = tell

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            for process in self._processes:
                group.create_task(self._look_after(process))

    async def _look_after(self, process: Process) -> None:
        pause_s = _SHORTEST_PAUSE_S
        while True:
            await _ended(process)
            self._tell(f"{process.name} ended with {process.process.returncode}; its log is {process.log}")
            try:
                await process.start()
            except ProcessFailed:
                self._tell(f"{process.name} did not start; again in {pause_s:g} s")
                process.end_now()
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            else:
                self._tell(f"{process.name} is back")
                pause_s = _SHORTEST_PAUSE_S


async def _ended(process: Process) -> None:
    while process.running:  # noqa: ASYNC110 -- the system has no event for it that all its versions know
        await asyncio.sleep(_LOOK_EVERY_S)
