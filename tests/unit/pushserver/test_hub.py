"""Broadcast: who is told what of a batch, and with how many writes."""

import pytest

from services.pushserver.counters import Counters
from services.pushserver.hub import Hub
from services.pushserver.wire import SSE, WS_JSON
from shared.problem import Problem
from tests.support.core_client import Client, broadcast, fresh, hub_of
from tests.support.core_output import kernel_write
from tests.support.events import catalog, delete, put


def test_a_batch_is_one_write_for_each_subscriber() -> None:
    hub = hub_of(partitions=2)
    one, several = Client(hub), Client(hub)
    one.watch("stocks")
    for label in ("stocks?prefix=a", "stocks/b"):
        several.watch(label)
    one.frames(), several.frames()
    broadcast(hub, put("a", 0), put("b", 0, partition=1), put("c", 1), put("ab", 2))
    assert (len(one.sink.written), len(several.sink.written)) == (1, 1)
    assert one.story() == ["a@0", "b@0", "c@1", "ab@2"]
    assert several.story() == ["a@0", "b@0", "ab@2"]


def test_watches_of_both_modes_share_the_write() -> None:
    hub = hub_of()
    client = Client(hub)
    client.watch("stocks?prefix=a")
    client.watch("stocks?prefix=b", "log")
    client.frames()
    broadcast(hub, put("a", 0), put("b", 1), put("a", 2), put("b", 3))
    assert len(client.sink.written) == 1
    assert client.story() == ["a@0", "b@1", "a@2", "b@3"]


def test_an_event_that_several_watches_match_is_told_once() -> None:
    hub = hub_of()
    client = Client(hub)
    for label in ("stocks", "stocks/ab", "stocks?prefix=a", "stocks?prefix=ab", "stocks?prefix=abcd"):
        client.watch(label)
    client.frames()
    broadcast(hub, put("ab", 0))
    assert client.story() == ["ab@0"]


def test_all_readers_of_a_wire_get_the_same_bytes_object() -> None:
    hub = hub_of()
    clients = [Client(hub) for _ in range(3)]
    for client in clients:
        client.watch("stocks")
        client.frames()
    broadcast(hub, put("a", 0), put("b", 1))
    first, *others = (client.sink.written[0] for client in clients)
    assert all(other is first for other in others)


def test_what_is_outdated_is_told_to_nobody() -> None:
    hub = hub_of(put("a", 5, partition=0), partitions=2)
    client = Client(hub)
    client.watch("stocks")
    client.frames()
    broadcast(hub, put("a", 5))
    assert client.frames() == []


def test_positions_move_without_events() -> None:
    hub = hub_of()
    client = Client(hub)
    client.watch("stocks")
    before = client.frames()[-1]["cursor"]
    hub.broadcast(hub.channel("stocks"), [], {0: 7})
    assert client.frames() == []
    assert client.subscriber.cursor() != before


def test_a_stream_gets_a_cursor_of_its_own_with_each_batch() -> None:
    hub = hub_of()
    wide, narrow = (Client(hub, SSE["json"], together=True) for _ in range(2))
    wide.watch("stocks")
    narrow.watch("stocks?prefix=a")
    wide.said(), narrow.said()
    broadcast(hub, put("a", 0))
    for client in (wide, narrow):
        assert client.said()[-1].cursor == client.subscriber.cursor()
    assert wide.subscriber.cursor() != narrow.subscriber.cursor()


def test_a_new_epoch_starts_state_watches_over_and_ends_log_watches() -> None:
    hub = hub_of(put("a", 5), put("b", 6))
    state, log, elsewhere = (Client(hub) for _ in range(3))
    state.watch("stocks")
    log.watch("stocks", "log")
    for client in (state, log):
        client.frames()
    hub.serve(fresh(hub, put("a", 0), epoch=b"newer"))
    for client in (state, log, elsewhere):
        client.sink.drain()
    reset, *rest = state.frames()
    assert (reset["event"], reset["reason"]) == ("reset", "epoch")
    assert [frame["event"] for frame in rest] == ["put", "synced"]
    (problem,) = log.frames()
    assert (problem["code"], problem["watch"]) == ("expired", "stocks")
    assert elsewhere.frames() == []
    broadcast(hub, put("a", 1))
    assert (state.story(), log.story()) == (["a@1"], [])


def test_what_waits_of_an_ended_epoch_is_dropped() -> None:
    hub = hub_of(put("a", 0))
    client = Client(hub)
    client.watch("stocks")
    client.frames()
    client.subscriber.blocked = True
    broadcast(hub, put("a", 1), put("b", 2))
    hub.serve(fresh(hub, put("c", 0), epoch=b"newer"))
    client.sink.drain()
    assert client.story() == ["reset", "c@0", "synced"]


def test_who_leaves_is_in_no_audience_and_on_no_wheel() -> None:
    hub = hub_of()
    client = Client(hub)
    for label in ("stocks", "stocks/a", "stocks?prefix=a"):
        client.watch(label)
    hub.leave(client.subscriber)
    assert (hub.channel("stocks").audience.size, len(hub.wheel)) == (0, 0)
    client.sink.take()
    broadcast(hub, put("a", 0))
    assert client.frames() == []


def test_a_collection_is_unknown_or_not_yet_read() -> None:
    hub = Hub(catalog(), Counters(), kernel_write)
    with pytest.raises(Problem) as unread:
        hub.channel("stocks")
    with pytest.raises(Problem) as unknown:
        hub.channel("nowhere")
    assert (unread.value.code, unknown.value.code) == ("not_ready", "not_found")


def test_what_was_done_is_counted() -> None:
    hub = hub_of()
    client = Client(hub, WS_JSON["json"])
    client.watch("stocks")
    counters = hub.counters
    before = (counters.records, counters.deliveries, counters.writes)
    broadcast(hub, put("a", 0), delete("b", 1))
    after = (counters.records, counters.deliveries, counters.writes)
    assert [now - then for then, now in zip(before, after, strict=True)] == [2, 2, 1]


@pytest.mark.parametrize("data", [b"1", b"12"])
def test_the_rest_of_what_a_socket_takes_in_part_is_written_by_its_connection(data: bytes) -> None:
    hub = hub_of()
    clients = [Client(hub) for _ in range(4)]
    for client in clients:
        client.watch("stocks")
        client.frames()
    # Of one of the two sizes half is taken, of the other nothing.
    for full in clients[1:3]:
        full.sink.room = 1
    broadcast(hub, put("a", 0, data))
    assert [client.subscriber.blocked for client in clients] == [False, True, True, False]
    assert [client.story() for client in clients] == [["a@0"]] * 4


def test_a_socket_that_is_full_is_left_alone_until_it_takes_bytes_again() -> None:
    hub = hub_of()
    full, free = Client(hub), Client(hub)
    for client in (full, free):
        client.watch("stocks")
        client.frames()
    broadcast(hub, put("a", 0))
    full.subscriber.blocked = True
    broadcast(hub, put("b", 1))
    assert (full.story(), free.story()) == (["a@0"], ["a@0", "b@1"])
    full.sink.drain()
    broadcast(hub, put("c", 2))
    assert (full.story(), free.story()) == (["b@1", "c@2"], ["c@2"])
