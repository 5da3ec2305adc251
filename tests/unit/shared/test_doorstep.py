"""Who owes the rest of a request, and how many are strangers."""

import asyncio
from typing import Final

from shared.doorstep import Doorstep, Limits, admitted

TIMEOUT_S: Final = 0.1


class Visitor:
    """Notes when it was found late; the first `patience` times it says that it wasn't."""

    def __init__(self, patience: int = 0) -> None:
        self.found = 0
        self.over = asyncio.Event()
        self._patience = patience

    def on_late(self) -> bool:
        self.found += 1
        if self.found > self._patience:
            self.over.set()
        return self.over.is_set()


async def test_who_is_late_is_told_once() -> None:
    doorstep, visitor, later = Doorstep(Limits(TIMEOUT_S)), Visitor(), Visitor()
    doorstep.expect(visitor)
    await visitor.over.wait()
    doorstep.expect(later)
    await later.over.wait()
    assert visitor.found == 1
    assert not len(doorstep)


async def test_who_is_not_to_blame_gets_the_whole_time_anew() -> None:
    doorstep, visitor, later = Doorstep(Limits(TIMEOUT_S)), Visitor(patience=2), Visitor()
    began = asyncio.get_running_loop().time()
    doorstep.expect(visitor)
    doorstep.expect(later)
    await visitor.over.wait()
    assert later.found == 1
    assert asyncio.get_running_loop().time() - began >= 3 * TIMEOUT_S
    assert visitor.found == 3


async def test_a_crowd_that_is_late_together_is_turned_away_over_many_turns_of_the_loop() -> None:
    doorstep, visitors = Doorstep(Limits(TIMEOUT_S)), [Visitor() for _ in range(100)]
    for visitor in visitors:
        doorstep.expect(visitor)
    found, most = 0, 0
    while found < len(visitors):
        await asyncio.sleep(0)
        before, found = found, sum(visitor.found for visitor in visitors)
        most = max(most, found - before)
    assert 0 < most <= 20
    assert not len(doorstep)


async def test_who_comes_again_gets_no_more_time_and_who_has_left_is_forgotten() -> None:
    doorstep, visitor, gone = Doorstep(Limits(TIMEOUT_S)), Visitor(), Visitor()
    doorstep.expect(visitor)
    doorstep.expect(gone)
    doorstep.leave(gone)
    doorstep.leave(gone)
    while not visitor.found:
        doorstep.expect(visitor)
        await asyncio.sleep(TIMEOUT_S / 20)
    assert not gone.found


def test_there_is_room_for_so_many_strangers() -> None:
    doorstep = Doorstep(Limits(max_unanswered=2))
    assert [doorstep.let_in(connection) for connection in "abc"] == [True, True, False]
    doorstep.admit("a")
    doorstep.admit("a")
    assert doorstep.let_in("d")
    assert doorstep.strangers == 2


def test_where_there_is_no_doorstep_nobody_is_told() -> None:
    admitted({"type": "http"})
