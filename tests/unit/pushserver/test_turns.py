"""Whose turn it is, and that the loop goes on in between."""

import asyncio
import time

import pytest

from infra.cluster.deadline import until
from services.pushserver.turns import TURN_S, Turns


class Worker:
    """Has so many pieces of work, each of which takes a turn's time; notes its name in a common book at each."""

    def __init__(self, name: str, book: list[str], pieces: int, *, work_s: float = 0.0) -> None:
        self.name, self.book, self.pieces, self.work_s = name, book, pieces, work_s

    def pump(self) -> bool:
        self.book.append(self.name)
        self.pieces -= 1
        until = time.monotonic() + self.work_s
        while time.monotonic() < until:
            pass
        return self.pieces > 0


async def done(turns: Turns) -> None:
    async def empty() -> bool:
        return not turns

    await until(empty, "everybody has had their turns", every_s=0)


async def test_everybody_has_a_piece_before_anybody_has_the_next() -> None:
    turns, book = Turns(), list[str]()
    for name in "abc":
        turns.ask(Worker(name, book, 2))
    await done(turns)
    assert book == list("abcabc")


async def test_who_waits_already_does_not_wait_twice() -> None:
    turns, book = Turns(), list[str]()
    worker = Worker("a", book, 1)
    turns.ask(worker)
    turns.ask(worker)
    await done(turns)
    assert book == ["a"]


async def test_the_loop_turns_between_pieces_that_take_long() -> None:
    turns, book = Turns(), list[str]()
    for name in "abcd":
        turns.ask(Worker(name, book, 1, work_s=2 * TURN_S))
    done_after = []
    for _ in range(4):
        await asyncio.sleep(0)
        done_after.append(len(book))
    assert done_after == [1, 2, 3, 4]


async def test_a_turn_can_be_waited_for_and_the_loop_turns_in_between() -> None:
    turns, book = Turns(), list[str]()

    async def work(name: str) -> None:
        for _ in range(2):
            await turns.mine()
            book.append(name)

    await asyncio.gather(work("a"), work("b"))
    assert book == list("abab")


async def test_who_gives_up_waiting_keeps_nobody_from_a_turn() -> None:
    turns, book = Turns(), list[str]()
    waiting = asyncio.create_task(turns.mine())
    await asyncio.sleep(0)
    waiting.cancel()
    turns.ask(Worker("a", book, 1))
    await done(turns)
    assert book == ["a"]


async def test_one_that_fails_keeps_nobody_from_a_turn() -> None:
    class Broken:
        def pump(self) -> bool:
            raise RuntimeError("broken on purpose")

    turns, book = Turns(), list[str]()
    told: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(str(context["exception"])))
    turns.ask(Broken())
    turns.ask(Worker("a", book, 1))
    await done(turns)
    assert (book, told) == (["a"], ["broken on purpose"])


@pytest.mark.parametrize("pieces", [1, 5])
async def test_nothing_is_left_behind(pieces: int) -> None:
    turns, book = Turns(), list[str]()
    turns.ask(Worker("a", book, pieces))
    await done(turns)
    turns.ask(Worker("b", book, 1))
    await done(turns)
    assert book == ["a"] * pieces + ["b"]
