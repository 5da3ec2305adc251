from typing import Any

import pytest

from watchroute_client import State, WatchError
from watchroute_client.outputs import AskToken, Close, Connect, Deliver, Output, Send
from watchroute_client.progress import Progress
from watchroute_client.session import Session
from watchroute_client.target import Target

PUT = {"event": "put", "resource": "stocks/a", "version": "1", "data": 1}
SYNCED = {"event": "synced", "watch": "stocks", "cursor": "c1", "resumed": False}


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def session(clock: Clock | None = None, **more: Any) -> Session:
    return Session(clock=clock or Clock(), random=lambda: 0.5, **more)


def only(outputs: list[Output], kind: type[Output]) -> list[Any]:
    return [output for output in outputs if isinstance(output, kind)]


def watching(machine: Session, path: str = "stocks") -> Progress:
    progress = Progress(Target.parse(path))
    machine.add(progress)
    return progress


def test_what_a_closed_connection_still_says_is_ignored() -> None:
    machine = session()
    watch = watching(machine)
    machine.on_opened(1)
    machine.remove(watch)
    assert only(machine.take(), Close) == [Close(1)]
    machine.on_frame(1, PUT)
    machine.on_lost(1, WatchError("unreachable"))
    machine.on_answer(1, [PUT], "c1")
    assert machine.take() == []
    assert machine.deadline() is None


def test_a_watch_that_is_removed_from_a_shared_websocket_is_unsubscribed() -> None:
    machine = session()
    watch, _ = watching(machine, "stocks"), watching(machine, "chats")
    machine.on_opened(1)
    machine.take()
    machine.remove(watch)
    (sent,) = only(machine.take(), Send)
    assert (sent.operation["op"], sent.operation["watch"]) == ("unsubscribe", "stocks")
    machine.on_frame(1, PUT)
    assert only(machine.take(), Deliver) == []


def test_a_later_watch_is_asked_for_on_the_open_websocket() -> None:
    machine = session()
    watching(machine, "stocks")
    machine.on_opened(1)
    machine.take()
    watching(machine, "chats")
    (sent,) = machine.take()
    assert isinstance(sent, Send)
    assert sent.operation["watch"] == "chats"


@pytest.mark.parametrize(
    ("first", "second"),
    [(("stocks", "state"), ("stocks", "state")), (("stocks", "log"), ("stocks/a", "state"))],
    ids=["the same", "overlapping logs"],
)
def test_watches_that_a_connection_can_hold_only_one_of_get_two(
    first: tuple[str, str], second: tuple[str, str]
) -> None:
    machine = session()
    for path, mode in (first, second):
        machine.add(Progress(Target.parse(path), mode=mode))
    assert len(only(machine.take(), Connect)) == 2


def test_nothing_is_taken_for_dead_while_the_application_is_behind() -> None:
    clock = Clock()
    machine = session(clock)
    watching(machine)
    machine.on_opened(1)
    machine.on_frame(1, SYNCED)
    machine.take()
    machine.on_pause(1, paused=True)
    clock.now = 1000.0
    machine.on_time()
    assert machine.take() == []
    machine.on_pause(1, paused=False)
    clock.now += 44
    machine.on_time()
    assert machine.take() == []
    clock.now += 1
    machine.on_time()
    assert only(machine.take(), Close) == [Close(1)]


def test_the_format_stands_in_every_address() -> None:
    for transport, address in (("ws", "/v1/watch/ws?format=compact"), ("sse", "/v1/stocks/stream?format=compact")):
        machine = session(transports=[transport], form="compact")
        watching(machine)
        (connect,) = only(machine.take(), Connect)
        assert connect.address == address


def test_a_token_is_asked_for_once_however_many_watches_want_it() -> None:
    machine = session(transports=["sse"], renewable=True)
    watching(machine, "stocks")
    watching(machine, "chats")
    assert len(machine.take()) == 1
    machine.on_token("t1")
    assert [output.token for output in only(machine.take(), Connect)] == ["t1", "t1"]


def test_a_token_that_cannot_be_had_is_asked_for_again_later() -> None:
    clock = Clock()
    machine = session(clock, renewable=True)
    watching(machine)
    machine.take()
    machine.on_no_token("the callback failed")
    assert machine.status == (State.OFFLINE, "the callback failed")
    deadline = machine.deadline()
    assert deadline == 0.25
    clock.now = deadline
    machine.on_time()
    assert len(machine.take()) == 1


def test_once_it_is_closed_it_says_why() -> None:
    machine = session()
    watching(machine)
    machine.take()
    machine.close()
    assert machine.take() == [Close(1)]
    assert machine.status == (State.CLOSED, "closed by the application")


def test_a_bookmark_says_nothing_of_a_watch_that_is_not_synced() -> None:
    machine = session()
    stocks, chats = watching(machine, "stocks"), watching(machine, "chats")
    machine.on_opened(1)
    machine.on_frame(1, SYNCED)
    machine.on_frame(1, {"event": "bookmark", "cursor": "c2", "as_of": None, "skipped": 0})
    assert (stocks.cursor, chats.cursor) == ("c2", None)


def test_the_first_poll_does_not_wait() -> None:
    machine = session(transports=["poll"])
    watch = watching(machine)
    (first,) = only(machine.take(), Connect)
    assert first.address == "/v1/stocks/poll?wait=0"
    machine.on_answer(first.number, [PUT, SYNCED], "c1")
    (second,) = only(machine.take(), Connect)
    assert second.address == "/v1/stocks/poll?cursor=c1&wait=25"
    assert watch.whole


def test_what_a_subscribe_that_was_taken_back_still_brings_does_not_count() -> None:
    machine = session()
    first = watching(machine)
    watching(machine, "chats")
    machine.on_opened(1)
    (asked, _) = only(machine.take(), Send)
    machine.remove(first)
    again = watching(machine)
    machine.on_frame(1, {**SYNCED, "ref": asked.operation["ref"]})
    assert not again.whole
    assert machine.status.state is State.CATCHING_UP


def test_a_stream_is_replaced_before_its_token_ends() -> None:
    clock = Clock()
    machine = session(clock, transports=["sse"], renewable=True)
    watching(machine)
    machine.on_token("t1", 300.0)
    machine.on_opened(1)
    machine.on_frame(1, SYNCED)
    machine.take()
    clock.now = 269.9
    machine.on_bytes(1)
    machine.on_time()
    assert machine.take() == []
    clock.now = 270.0
    machine.on_time()
    assert machine.take() == [AskToken()]
    machine.on_token("t2", 300.0)
    (following,) = only(machine.take(), Connect)
    assert (following.token, following.address) == ("t2", "/v1/stocks/stream?cursor=c1")
    machine.on_opened(2)
    assert machine.status.state is State.LIVE
    machine.on_frame(2, {**SYNCED, "resumed": True})
    assert only(machine.take(), Close) == [Close(1)]


def test_a_token_that_lives_shortly_is_shown_for_half_of_that() -> None:
    clock = Clock()
    machine = session(clock, transports=["poll"], renewable=True)
    watching(machine)
    machine.on_token("t1", 10.0)
    machine.take()
    machine.on_answer(1, [SYNCED], "c1")
    assert [output.token for output in only(machine.take(), Connect)] == ["t1"]
    clock.now = 5.0
    machine.on_answer(2, [], "c2")
    assert machine.take() == [AskToken()]
    machine.on_token("t2", 10.0)
    assert [output.token for output in only(machine.take(), Connect)] == ["t2"]


@pytest.mark.parametrize("lives_s", [-60.0, 0.0, 1.0])
def test_a_token_that_is_over_is_shown_all_the_same(lives_s: float) -> None:
    machine = session(renewable=True)
    watching(machine)
    machine.take()
    machine.on_token("old", lives_s)
    (connect,) = machine.take()
    assert isinstance(connect, Connect)
    assert connect.token == "old"


def test_a_cursor_that_is_always_too_old_is_not_asked_for_without_a_pause() -> None:
    clock = Clock()
    machine = session(clock)
    watching(machine)
    machine.on_opened(1)
    machine.take()
    old = {"event": "problem", "code": "expired", "watch": "stocks", "cursor": "c7", "retry": True}
    machine.on_frame(1, old)
    (again,) = only(machine.take(), Send)
    assert again.operation["cursor"] == "c7"
    machine.on_frame(1, {**old, "cursor": "c8"})
    assert only(machine.take(), Send) == []
    deadline = machine.deadline()
    assert deadline == 0.25
    clock.now = deadline
    machine.on_time()
    (later,) = only(machine.take(), Send)
    assert later.operation["cursor"] == "c8"
