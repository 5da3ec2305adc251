"""What waits for one connection: places, bytes and the positions that are surely written."""

from hypothesis import given
from hypothesis import strategies as st

from services.pushserver.change import Change, Delivery
from services.pushserver.counters import Counters
from services.pushserver.mailbox import Mailbox
from services.pushserver.wire import LINES, SSE, Wire
from tests.support.events import channel, put

STOCKS = channel(partitions=2)
PLENTY = 1 << 20
LINE = LINES["compact"]


def change(resource_id: str, offset: int, data: bytes = b"1", *, partition: int = 0) -> Change:
    return Change(STOCKS, put(resource_id, offset, data, partition=partition))


def mailbox(*changes: Change, conflate: bool = True, limit_bytes: int = PLENTY) -> Mailbox:
    made = Mailbox(limit_bytes, Counters())
    made.begin(STOCKS, [0, 0])
    for each in changes:
        assert made.put(each, conflate=conflate)
    return made


def flush(box: Mailbox, limit_bytes: int = PLENTY, wire: Wire = LINE) -> list[bytes]:
    return box.flush(wire, limit_bytes, lambda _: "cursor")


def frames(*changes: Change) -> list[bytes]:
    return [each.frame(LINE) for each in changes]


def test_a_newer_change_takes_the_place_of_the_one_that_waits() -> None:
    newer = change("a", 2)
    box = mailbox(change("a", 0), change("b", 1), newer)
    assert flush(box) == frames(newer, change("b", 1))
    assert box.elided == 1


def test_in_log_mode_everything_waits_in_order() -> None:
    changes = [change("a", 0), change("b", 1), change("a", 2)]
    box = mailbox(*changes, conflate=False)
    assert flush(box) == frames(*changes)
    assert box.elided == 0


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 200), st.booleans()), max_size=30), st.integers(0, 3000)
)
def test_the_size_is_that_of_what_waits_and_never_above_the_limit(
    offers: list[tuple[str, int, bool]], limit_bytes: int
) -> None:
    box = Mailbox(limit_bytes, Counters())
    box.begin(STOCKS, [0, 0])
    waiting: dict[object, int] = {}
    for offset, (name, size, conflate) in enumerate(offers):
        made = change(name, offset, b"x" * size)
        expected = waiting | {name if conflate else offset: made.size}
        fits = sum(expected.values()) <= limit_bytes
        assert box.put(made, conflate=conflate) == fits
        waiting = expected if fits else waiting
        assert box.size == sum(waiting.values()) <= limit_bytes
    while box:
        flush(box, 100)
    assert box.size == 0


def test_a_change_that_does_not_fit_changes_nothing() -> None:
    box = mailbox(change("a", 0), limit_bytes=300)
    assert not box.put(change("a", 1, b"x" * 100), conflate=True)
    assert not box.put(change("b", 2), conflate=True)
    assert flush(box) == frames(change("a", 0))
    assert box.elided == 0


def test_what_is_written_never_runs_ahead_of_what_waits() -> None:
    box = mailbox(change("a", 0), change("b", 1), change("a", 2), change("c", 3))
    flush(box, 1)
    assert box.written[STOCKS] == [1, 0], "b at 1 still waits, though a at 2 is written"
    flush(box, 1)
    assert box.written[STOCKS] == [2, 0]
    flush(box, 1)
    assert box.written[STOCKS] == [4, 0]


def test_partitions_come_along_each_for_itself() -> None:
    box = mailbox(change("a", 7), change("b", 3, partition=1), change("c", 8))
    flush(box, 300)
    assert box.written[STOCKS] == [8, 4]


def test_a_channel_that_waits_already_keeps_its_positions() -> None:
    box = mailbox(change("a", 5))
    box.begin(STOCKS, [9, 9])
    assert box.written[STOCKS] == [0, 0]


def test_a_flush_is_about_as_large_as_wanted_and_never_empty() -> None:
    large = change("a", 0, b"x" * 10_000)
    box = mailbox(large, change("b", 1), change("c", 2), change("d", 3))
    assert flush(box, 300) == frames(large)
    assert flush(box, 300) == frames(change("b", 1), change("c", 2))
    assert len(box) == 1


def test_what_nobody_watches_any_more_is_dropped() -> None:
    box = mailbox(change("a", 0), change("b", 1))
    box.forget(lambda each: each.event.id == "a")
    assert box.size == change("b", 1).size
    assert flush(box) == frames(change("b", 1))


def test_an_event_stream_is_told_its_place_every_sixteen_frames_and_at_the_end() -> None:
    asked: list[object] = []

    def cursor(positions: object) -> str:
        asked.append([list(at) for at in positions.values()] if isinstance(positions, dict) else positions)
        return "cursor"

    box = mailbox(*(change(f"{at}", at) for at in range(40)))
    pieces = box.flush(SSE["compact"], 33 * change("0", 0).size, cursor)
    marks = [at for at, piece in enumerate(pieces) if b"data:" not in piece]
    assert marks == [16, 33, 35]
    assert asked == [[[16, 0]], [[32, 0]], [[33, 0]]], "while something waits a mark covers what was written"
    asked.clear()
    box.flush(SSE["compact"], PLENTY, cursor)
    assert asked == [None], "after the last one a mark covers all that was read"


def delivery(*changes: Change) -> Delivery:
    return Delivery(list(changes), [0, 0], [9, 9], str)


def test_a_delivery_waits_and_is_written_whole() -> None:
    first, second = delivery(change("a", 0), change("b", 1)), delivery(change("a", 2), change("c", 4, partition=1))
    box = mailbox()
    assert box.put_whole(first)
    assert box.put_whole(second)
    assert box.size == first.size + second.size
    (piece,) = flush(box, 1)
    assert piece is first.payload(LINE), "it is shared with everybody else's"
    assert box.written[STOCKS] == [2, 0]
    assert flush(box, 1) == [second.payload(LINE)]
    assert box.written[STOCKS] == [3, 5]
    assert (box.elided, box.size) == (0, 0)


def test_a_delivery_that_does_not_fit_changes_nothing() -> None:
    small, large = delivery(change("a", 0)), delivery(change("a", 1, b"x" * 300))
    box = mailbox(limit_bytes=small.size + 100)
    assert box.put_whole(small)
    assert not box.put_whole(large)
    assert box.size == small.size
    assert flush(box) == [small.payload(LINE)]


def test_a_delivery_of_a_watch_that_is_dropped_is_dropped() -> None:
    kept, dropped = delivery(change("a", 0)), delivery(change("b", 1), change("b", 2))
    box = mailbox()
    assert box.put_whole(kept)
    assert box.put_whole(dropped)
    box.forget(lambda each: each.event.id == "b")
    assert box.size == kept.size
    assert flush(box) == [kept.payload(LINE)]


def test_a_delivery_on_a_stream_tells_its_own_place() -> None:
    whole = delivery(change("a", 0), change("b", 1))
    box = mailbox()
    assert box.put_whole(whole)
    assert flush(box, wire=SSE["json"]) == [whole.payload(SSE["json"])]
