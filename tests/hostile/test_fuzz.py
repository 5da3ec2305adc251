"""A little of what `make fuzz` does for long: the same inputs in each run."""

import time
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest

from tests.hostile.fuzz.catalogue import CATALOGUE, LIVE
from tests.hostile.fuzz.live import play_live
from tests.hostile.fuzz.target import Row, Target, play

INPUTS = 8000
LIVE_INPUTS = 3000
SEED = 6


@pytest.mark.parametrize("entry", CATALOGUE, ids=[entry.make.name for entry in CATALOGUE])
def test_strangers_are_answered_or_refused_and_nothing_else(entry: Any) -> None:
    row = play(entry.make(), seed=SEED, inputs=int(INPUTS * entry.share))
    assert not row.failures
    assert 0 < row.accepted < row.inputs, "inputs that are all alike show nothing"


async def test_live_services_outlive_strangers() -> None:
    rows: list[Row] = []
    targets = [(entry.make, int(LIVE_INPUTS * entry.share)) for entry in LIVE]
    await play_live(targets, seed=SEED, seconds=8, show=rows.append)
    assert [row.target for row in rows] == [entry.make.name for entry in LIVE]
    assert not [failure for row in rows for failure in row.failures]
    assert all(0 < row.accepted < row.inputs for row in rows), rows


class Doing:
    """A target that does with its inputs what a test wants."""

    name = "doing"

    def __init__(self, run: Callable[[int], bool]) -> None:
        self.run = run

    def make(self, random: Random) -> int:
        return random.randrange(100)


KEPT: list[bytearray] = []


def keeps(_: int) -> bool:
    KEPT.append(bytearray(b"x" * 1_000_000))
    return True


def dawdles(number: int) -> bool:
    until = time.thread_time() + (0.1 if number == 7 else 0)
    while time.thread_time() < until:
        continue
    return True


@pytest.fixture
def forgotten() -> Iterator[None]:
    yield
    KEPT.clear()


@pytest.mark.parametrize(
    ("run", "why"),
    [
        pytest.param(lambda number: 1 // (number - 7) > 0, "ZeroDivisionError", id="an exception"),
        pytest.param(keeps, "memory grew", id="memory"),
        pytest.param(dawdles, "it took", id="a slow input"),
    ],
)
def test_a_failure_names_the_seed_the_number_and_the_input(
    forgotten: None, run: Callable[[int], bool], why: str
) -> None:
    target: Target = Doing(run)
    row = play(target, seed=3, inputs=200, slowest_s=0.05)
    assert row.failures
    assert all(failure.startswith("doing, seed 3, ") and why in failure for failure in row.failures)
    assert len(row.failures) <= 10
