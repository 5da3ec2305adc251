"""The turnstile: so many in a turn of the loop, in their order, and nobody is forgotten."""

import asyncio
from collections import Counter

from shared.turnstile import AT_ONCE, Turnstile
from tests.support.server import eventually


def fail() -> None:
    raise ZeroDivisionError


class Crowd:
    """Comes at once, and notes in which turn of the loop each was let in."""

    def __init__(self) -> None:
        self.turnstile = Turnstile()
        self.turn = 0
        self.let_in: list[tuple[int, int]] = []
        self._tick()

    def _tick(self) -> None:
        self.turn += 1
        asyncio.get_running_loop().call_soon(self._tick)

    def come(self, *numbers: int) -> None:
        for number in numbers:
            if self.turnstile.admits():
                self.enter(number)
            else:
                self.turnstile.wait(lambda number=number: self.enter(number))  # type: ignore[misc]  # a lambda's default

    def enter(self, number: int) -> None:
        self.let_in.append((self.turn, number))


async def test_a_few_pass_at_once() -> None:
    crowd = Crowd()
    crowd.come(*range(AT_ONCE))
    assert crowd.let_in == [(1, number) for number in range(AT_ONCE)]


async def test_a_crowd_is_let_in_a_few_in_each_turn_and_in_its_order() -> None:
    crowd = Crowd()
    crowd.come(*range(10 * AT_ONCE + 1))
    await eventually(lambda: len(crowd.let_in) == 10 * AT_ONCE + 1, "all are in")
    assert [number for _, number in crowd.let_in] == list(range(10 * AT_ONCE + 1))
    assert max(Counter(turn for turn, _ in crowd.let_in).values()) == AT_ONCE
    assert not len(crowd.turnstile)


async def test_who_comes_while_others_wait_does_not_overtake_them_and_adds_nothing_to_their_turn() -> None:
    crowd = Crowd()
    crowd.come(*range(3 * AT_ONCE))
    late = iter(range(3 * AT_ONCE, 4 * AT_ONCE))
    while len(crowd.let_in) < 4 * AT_ONCE:
        await asyncio.sleep(0)
        if (number := next(late, None)) is not None:
            crowd.come(number)
    assert [number for _, number in crowd.let_in] == list(range(4 * AT_ONCE))
    assert max(Counter(turn for turn, _ in crowd.let_in).values()) <= AT_ONCE


async def test_one_that_fails_takes_nobody_with_it() -> None:
    crowd = Crowd()
    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context["exception"]))
    crowd.come(*range(AT_ONCE))
    crowd.turnstile.wait(fail)
    for number in range(AT_ONCE, 3 * AT_ONCE):
        crowd.turnstile.wait(lambda number=number: crowd.enter(number))  # type: ignore[misc]  # as above
    await eventually(lambda: len(crowd.let_in) == 3 * AT_ONCE, "all others are in")
    assert [type(failure) for failure in failures] == [ZeroDivisionError]
    assert crowd.turnstile.admits()


async def test_an_empty_turnstile_costs_no_turn() -> None:
    turnstile = Turnstile()
    for _ in range(3 * AT_ONCE):
        assert turnstile.admits()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
