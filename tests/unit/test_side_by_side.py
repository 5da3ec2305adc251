"""How several workers share the tests."""

from types import SimpleNamespace
from typing import NamedTuple, cast

import pytest
from xdist.workermanage import WorkerController

from infra.cluster.process import ROOT
from tests.support.side_by_side import ALONE, SideBySide, runs_alone

FILES = [f"tests/unit/test_{name}.py" for name in "abcd"]
SHARED = [f"{file}::test_{number}" for file in FILES for number in range(4)]
TIMED = [
    f"{name if '::' in name else f'{name}::test_it'}[{number}]" for name in sorted(ALONE)[1:3] for number in range(3)
]


class Options:
    """What the scheduler asks of the command line."""

    loadscopereorder = False

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self.option = self

    def getvalue(self, name: str) -> list[str]:
        assert name == "tx"
        return [f"{self._workers}*popen"]


class Worker:
    """It runs a test once it knows the next, or that there is none, as those of xdist do."""

    def __init__(self) -> None:
        self.shutting_down = False
        self.gateway = SimpleNamespace(id="worker")
        self._queue: list[int] = []

    def send_runtest_some(self, indices: list[int]) -> None:
        assert not self.shutting_down
        self._queue += indices

    def shutdown(self) -> None:
        self.shutting_down = True

    def run_one(self) -> int | None:
        return self._queue.pop(0) if len(self._queue) > (0 if self.shutting_down else 1) else None


class Ran(NamedTuple):
    """A test, who ran it, and how many workers there still were."""

    test: str
    worker: int
    workers: int


def run(tests: list[str], workers: int) -> list[Ran]:
    """The workers by turns, until all have ended."""
    scheduler = SideBySide(cast("pytest.Config", Options(workers)))
    nodes = [cast("WorkerController", Worker()) for _ in range(workers)]
    for node in nodes:
        scheduler.add_node(node)
    for node in nodes:
        scheduler.add_node_collection(node, tests)
    scheduler.schedule()
    ran: list[Ran] = []
    while scheduler.nodes:
        at = len(ran), len(scheduler.nodes)
        for number, node in enumerate(nodes):
            if node not in scheduler.nodes:
                continue
            if (index := cast("Worker", node).run_one()) is not None:
                ran.append(Ran(tests[index], number, len(scheduler.nodes)))
                scheduler.mark_test_complete(node, index)
            elif node.shutting_down:
                scheduler.remove_node(node)
        if scheduler.tests_finished:
            for node in scheduler.nodes:
                node.shutdown()
        assert at != (len(ran), len(scheduler.nodes)), "every worker waits"
    return ran


def of(ran: list[Ran], *, alone: bool) -> list[Ran]:
    return [each for each in ran if runs_alone(each.test) is alone]


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize(
    "tests", [SHARED, TIMED, SHARED + TIMED, SHARED[:1] + TIMED, SHARED[:5] + TIMED[:1], SHARED[:5] + TIMED[2:4]]
)
def test_every_test_runs_once_and_what_measures_time_when_one_worker_is_left(tests: list[str], workers: int) -> None:
    ran = run(tests, workers)
    assert len(of(ran, alone=True)) == len(set(tests) & set(TIMED))
    assert sorted(each.test for each in ran) == sorted(tests)
    assert {each.workers for each in of(ran, alone=True)} <= {1}
    assert ran == of(ran, alone=False) + of(ran, alone=True)


def test_what_does_not_measure_time_is_shared_by_files_in_their_order() -> None:
    ran = of(run(SHARED + TIMED, 2), alone=False)
    assert {each.worker for each in ran} == {0, 1}
    for file in FILES:
        (_,) = {each.worker for each in ran if each.test.startswith(file)}
    assert next(each.test for each in ran if each.worker == 0) == SHARED[0]


def test_a_worker_that_crashes_leaves_its_tests_to_the_others() -> None:
    scheduler = SideBySide(cast("pytest.Config", Options(2)))
    nodes = [cast("WorkerController", Worker()) for _ in range(2)]
    for node in nodes:
        scheduler.add_node(node)
    for node in nodes:
        scheduler.add_node_collection(node, SHARED + TIMED)
    scheduler.schedule()
    assert scheduler.remove_node(nodes[0]) == SHARED[0]
    left = nodes[1]
    while (index := cast("Worker", left).run_one()) is not None:
        scheduler.mark_test_complete(left, index)
    assert scheduler.tests_finished
    assert not scheduler.has_pending


@pytest.mark.parametrize("name", ALONE)
def test_what_runs_alone_is_there(name: str) -> None:
    file, _, test = name.partition("::")
    assert f"def {test}" in (ROOT / file).read_text(encoding="utf-8")
