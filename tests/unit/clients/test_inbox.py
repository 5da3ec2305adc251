import asyncio

import pytest

from watchroute_client import Change, WatchError
from watchroute_client.inbox import ROOM, Inbox


async def test_it_is_full_until_half_of_it_is_taken() -> None:
    inbox = Inbox()
    for number in range(ROOM):
        assert not inbox.full
        inbox.put(Change("put", "a/b", number), None)
    assert inbox.full
    for _ in range(ROOM // 2):
        await inbox.take()
    assert not inbox.full
    await inbox.room()


async def test_its_cursor_is_that_of_what_was_taken() -> None:
    inbox = Inbox()
    inbox.put(Change("put", "a/b", 1), "c1")
    inbox.put(Change("put", "a/b", 2), "c2")
    await inbox.take()
    assert (inbox.cursor, inbox.empty) == ("c1", False)
    await inbox.take()
    assert (inbox.cursor, inbox.empty) == ("c2", True)


async def test_what_waits_is_taken_before_the_end() -> None:
    inbox = Inbox()
    inbox.put(Change("put", "a/b", 1), None)
    inbox.end(WatchError("forbidden"))
    inbox.put(Change("put", "a/b", 2), None)
    found = await inbox.take()
    assert found is not None
    assert found.version == 1
    with pytest.raises(WatchError, match="forbidden"):
        await inbox.take()


async def test_whoever_waits_is_told_of_the_end() -> None:
    inbox = Inbox()
    taking = asyncio.create_task(inbox.take())
    await asyncio.sleep(0)
    inbox.end(None)
    assert await taking is None


async def test_one_that_is_closed_gives_nothing_more_and_its_cursor_stays() -> None:
    inbox = Inbox()
    for number in range(ROOM):
        inbox.put(Change("put", "a/b", number), f"c{number}")
    await inbox.take()
    inbox.close()
    assert await inbox.take() is None
    assert (inbox.cursor, inbox.empty, inbox.full) == ("c0", False, False)
