"""A session: scenarios one after another, each run so many times."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from load.bench.figures import Figures, shown
from load.bench.machine import provenance
from load.bench.result import Result
from load.bench.rig import Rig
from load.bench.scenario import Scenario
from load.bench.verdict import Broken


class Failure(NamedTuple):
    """A scenario whose figures mean nothing, and why."""

    scenario: Scenario
    why: str


class Session:
    """Shows how far it is, on a terminal as a bar, and everywhere as a line for each run."""

    def __init__(self, rig: Rig, runs: int, console: Console) -> None:
        self._rig = rig
        self._runs = runs
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )

    async def outcomes(self, scenarios: Sequence[Scenario]) -> AsyncIterator[Result | Failure]:
        """Run the scenarios; each outcome as soon as it is there. One that fails doesn't keep the others from it."""
        with self._progress as progress:
            whole = progress.add_task("all", total=len(scenarios) * self._runs)
            for scenario in scenarios:
                task = progress.add_task(f"  {scenario.name}", total=self._runs)
                try:
                    yield await self._result(scenario, (whole, task))
                except (Broken, AssertionError) as failure:
                    yield Failure(scenario, str(failure))
                progress.remove_task(task)

    async def _result(self, scenario: Scenario, tasks: Sequence[TaskID]) -> Result:
        where = provenance(self._rig)
        runs: list[Figures] = []
        async with aclosing(scenario.runs(self._rig)) as measured:
            while len(runs) < self._runs:
                runs.append(await anext(measured))
                for task in tasks:
                    self._progress.advance(task)
                self._progress.console.print(_line(scenario, len(runs), runs[-1]), highlight=False)
        return Result(scenario, runs, where)


def _line(scenario: Scenario, number: int, run: Mapping[str, Any]) -> str:
    shortly = (f"{figure.key} {shown(run[figure.key])}" for figure in scenario.figures if figure.key in run)
    return f"{scenario.name} run {number}: {', '.join(shortly)}"
