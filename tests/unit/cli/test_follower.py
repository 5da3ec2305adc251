import json
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import aiohttp
import pytest

from cli.watching.arrival import Arrival, Trouble
from cli.watching.follower import Follower, Frame
from cli.watching.request import TailRequest
from shared.resource import Watch

REQUEST = TailRequest("http://x", (Watch("stocks"),), since="2026-01-01T00:00:00Z")


class Script:
    """A transport that plays one list of arrivals for each connection, then refuses for good."""

    def __init__(self, *connections: list[Arrival | Trouble]) -> None:
        self._connections: Iterator[list[Arrival | Trouble]] = iter(connections)
        self.requests: list[TailRequest] = []

    async def __call__(self, session: aiohttp.ClientSession, request: TailRequest) -> AsyncGenerator[Arrival, None]:
        del session
        self.requests.append(request)
        for step in next(self._connections, [Trouble("the script is over", retry=False)]):
            if isinstance(step, Trouble):
                raise step
            yield step


class Run:
    """A follower driven through a script, and all that came of it."""

    def __init__(self, *connections: list[Arrival | Trouble]) -> None:
        self.script = Script(*connections)
        self.frames: list[Frame] = []
        self.troubles: list[str] = []
        self.pauses: list[float] = []
        self.follower = Follower(
            self.script,
            REQUEST,
            on_frame=lambda _, frame: self.frames.append(frame),
            on_trouble=lambda trouble: self.troubles.append(str(trouble)),
            sleep=self._sleep,
        )

    async def to_the_end(self) -> str:
        session: Any = None
        with pytest.raises(Trouble) as end:
            await self.follower.run(session)
        return str(end.value)

    @property
    def cursors(self) -> list[str | None]:
        return [request.cursor for request in self.script.requests]

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)


def frame(event: str, **members: Any) -> Arrival:
    return Arrival(json.dumps({"event": event, **members}))


async def test_a_connection_that_ends_is_begun_again_from_the_last_cursor() -> None:
    run = Run([frame("synced", cursor="a"), frame("put", version="1"), frame("bookmark", cursor="b")], [])
    await run.to_the_end()
    assert run.cursors == [None, "b", "b"]
    assert [request.since for request in run.script.requests] == [REQUEST.since, None, None]
    assert [seen["event"] for seen in run.frames] == ["synced", "put", "bookmark"]


async def test_the_cursor_of_an_event_stream_counts_too() -> None:
    run = Run([Arrival('{"event":"put"}', "a"), Arrival("", "b")])
    await run.to_the_end()
    assert run.cursors == [None, "b"]


async def test_a_bookmark_without_a_cursor_keeps_the_one_before() -> None:
    run = Run([frame("synced", cursor="a"), frame("bookmark", cursor=None)])
    await run.to_the_end()
    assert run.follower.cursor == "a"


async def test_a_goaway_is_obeyed_without_complaint() -> None:
    run = Run([frame("goaway", cursor="a", reconnect_in_ms=1500)])
    await run.to_the_end()
    assert (run.pauses, run.troubles, run.cursors) == ([1.5], [], [None, "a"])


async def test_pauses_grow_until_something_arrives() -> None:
    refused: list[list[Arrival | Trouble]] = [[Trouble("refused")] for _ in range(12)]
    run = Run(*refused, [frame("bookmark", cursor=None), Trouble("lost")])
    await run.to_the_end()
    *growing, last = run.pauses
    assert growing[0] <= 0.5
    assert all(5 <= pause <= 10 for pause in growing[6:])
    assert last <= 0.5


async def test_the_server_says_how_long_to_stay_away() -> None:
    run = Run([Trouble("unavailable", after_s=30)])
    await run.to_the_end()
    assert run.pauses == [30]


async def test_an_expired_cursor_is_replaced_by_the_one_that_the_server_gives() -> None:
    expired = frame("problem", code="expired", message="too old", retry=True, cursor="oldest")
    run = Run([frame("synced", cursor="a"), expired])
    await run.to_the_end()
    assert run.cursors == [None, "oldest"]
    assert run.troubles == ["expired: too old"]


async def test_what_will_not_get_better_ends_it() -> None:
    run = Run([frame("problem", code="forbidden", message="not you", retry=False)])
    assert await run.to_the_end() == "forbidden: not you"
    assert run.pauses == []
