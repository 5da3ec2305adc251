from typing import Any

from tests.unit.clients.test_session import SYNCED, Clock, only, session, watching
from watchroute_client import State, WatchError
from watchroute_client.outputs import Close, Send
from watchroute_client.progress import Progress
from watchroute_client.session import Session


def synced(watch: str, cursor: str) -> dict[str, Any]:
    return {**SYNCED, "watch": watch, "cursor": cursor}


def on_streams(clock: Clock, *paths: str) -> tuple[Session, list[Progress]]:
    """A client that has stepped around WebSockets, and whose streams, the 3rd connection and on, are live."""
    machine = session(clock, transports=("ws", "sse"))
    watches = [watching(machine, path) for path in paths]
    for number in (1, 2):
        machine.on_lost(number, WatchError("unreachable"))
        clock.now = machine.deadline() or 0.0
        machine.on_time()
    for number, path in enumerate(paths, 3):
        machine.on_opened(number)
        machine.on_frame(number, synced(path, f"{path}1"))
    machine.take()
    return machine, watches


def test_a_watch_that_ends_while_a_transport_is_tried_and_one_that_is_new_hold_nothing_up() -> None:
    clock = Clock()
    machine, (first, _) = on_streams(clock, "a", "b")
    clock.now = 60.25
    for number in (3, 4):
        machine.on_bytes(number)
    machine.on_time()
    machine.on_opened(5)
    new = watching(machine, "c")
    machine.on_opened(6)
    machine.on_frame(6, synced("c", "c1"))
    machine.remove(first)
    machine.take()
    machine.on_frame(5, synced("b", "b2"))
    outputs = machine.take()
    (asked,) = only(outputs, Send)
    assert (asked.number, asked.operation["op"], asked.operation["watch"]) == (5, "subscribe", "c")
    assert asked.operation["cursor"] == "c1"
    assert only(outputs, Close) == [Close(4), Close(6)]
    machine.on_frame(5, {**synced("c", "c2"), "ref": asked.operation["ref"]})
    assert (machine.transport, machine.status.state, new.cursor) == ("ws", State.LIVE, "c2")
    assert machine.writers == [5]


def test_a_try_without_watches_is_given_up() -> None:
    clock = Clock()
    machine, (watch,) = on_streams(clock, "a")
    clock.now = 60.25
    machine.on_bytes(3)
    machine.on_time()
    machine.take()
    machine.remove(watch)
    assert only(machine.take(), Close) == [Close(3), Close(4)]
    assert machine.deadline() is None


def test_a_watch_that_was_refused_meanwhile_is_not_taken_over() -> None:
    clock = Clock()
    machine, _ = on_streams(clock, "a", "b")
    clock.now = 60.25
    for number in (3, 4):
        machine.on_bytes(number)
    machine.on_time()
    machine.on_opened(5)
    machine.on_lost(3, WatchError("forbidden"))
    machine.take()
    for path in ("a", "b"):
        machine.on_frame(5, synced(path, f"{path}2"))
    (dropped,) = only(machine.take(), Send)
    assert (dropped.operation["op"], dropped.operation["watch"]) == ("unsubscribe", "a")
    assert (machine.transport, machine.status.state) == ("ws", State.LIVE)
