"""A listing that takes turns has everything that there was when it began, however much changes meanwhile."""

from collections.abc import Callable
from typing import Any

import pytest

from services.pushserver.channel import Channel
from services.pushserver.transports import snapshot
from shared.problem import Problem
from shared.resource import Watch
from tests.support.events import channel, delete, put

ALL = Watch("stocks")


class Meanwhile:
    """Turns in which something happens: the first time that somebody waits for one."""

    def __init__(self, happens: Callable[[], object]) -> None:
        self._happens: Callable[[], object] | None = happens

    async def mine(self) -> None:
        if self._happens is not None:
            happens, self._happens = self._happens, None
            happens()


@pytest.fixture
def served() -> Channel:
    return channel(put("a", 0), put("b", 1), put("c", 0, partition=1), put("d", 1, partition=1), partitions=2)


def change(served: Channel) -> None:
    """`a` and `b` move on in a partition that was gathered already, `c` in one that wasn't; `e` is new."""
    served.apply([put("a", 2, b"2"), delete("b", 3), put("c", 2, b"2", partition=1), put("e", 4)], {0: 5, 1: 3})


async def test_a_page_that_is_all_there_is_has_what_changed_while_it_was_gathered(
    served: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "_LOOKS_AT_ONCE", 1)
    turns: Any = Meanwhile(lambda: change(served))
    events, after = await snapshot._gather(turns, served.table, ALL, (0, 0), 100)  # noqa: SLF001 -- no socket is as exact
    assert after is None
    assert {event.id: event.data for event in events} == {"a": b"2", "c": b"2", "d": b"1", "e": b"1"}


async def test_lines_tell_again_what_changed_while_they_were_told(
    served: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "_PIECE_BYTES", 1)
    turns: Any = Meanwhile(lambda: change(served))
    asked: Any = type("Asked", (), {"watch": ALL, "format": "compact"})
    lines = b"".join([piece async for piece in snapshot._lines(turns, served, asked, lambda _: None)]).splitlines()  # noqa: SLF001 -- see above
    told = [(line.split(b'"')[7].decode(), line.rsplit(b":", 1)[1]) for line in lines]
    newest = dict(told)
    assert {name for name, _ in told} == {f"stocks/{name}" for name in "abcde"}
    assert newest["stocks/a"] == newest["stocks/c"] == b"2}"


async def test_lines_end_with_a_problem_when_the_token_is_revoked_while_they_are_told(
    served: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "_PIECE_BYTES", 1)
    revoked = False

    def happens() -> None:
        nonlocal revoked
        revoked = True
        change(served)

    def check(_: Any) -> None:
        if revoked:
            raise Problem("unauthenticated", "the token: it has been revoked")

    turns: Any = Meanwhile(happens)
    asked: Any = type("Asked", (), {"watch": ALL, "format": "compact"})
    first, last = [piece async for piece in snapshot._lines(turns, served, asked, check)]  # noqa: SLF001 -- see above
    assert b'"data":1' in first
    assert b'"code":"unauthenticated"' in last
    assert b'"data":2' not in first + last
