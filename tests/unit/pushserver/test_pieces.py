"""Runs of events that many are told are encoded once."""

import pytest

from services.pushserver import pieces as module
from services.pushserver.change import Change
from services.pushserver.pieces import Pieces
from services.pushserver.wire import LINES, WS_JSON, Wire
from shared.event import Event
from tests.support.events import channel, put

STOCKS = channel()
LINE = LINES["json"]
RUN = [put(f"r{at}", at) for at in range(20)]


def encoded(events: list[Event], wire: Wire = LINE) -> bytes:
    return b"".join(Change(STOCKS, event).frame(wire) for event in events)


def test_the_same_run_is_the_same_bytes_object() -> None:
    pieces = Pieces(1 << 20)
    piece = pieces.piece(STOCKS, LINE, RUN)
    assert piece == encoded(RUN)
    assert pieces.piece(STOCKS, LINE, list(RUN)) is piece


@pytest.mark.parametrize("other", [RUN[1:], RUN[:-1], [*RUN[:-1], put("r19", 19, b"2")]])
def test_another_run_has_other_bytes(other: list[Event]) -> None:
    pieces = Pieces(1 << 20)
    pieces.piece(STOCKS, LINE, RUN)
    assert pieces.piece(STOCKS, LINE, other) == encoded(other)


def test_another_wire_has_other_bytes() -> None:
    pieces = Pieces(1 << 20)
    pieces.piece(STOCKS, LINE, RUN)
    assert pieces.piece(STOCKS, WS_JSON["json"], RUN) == encoded(RUN, WS_JSON["json"])


def test_what_was_not_asked_for_longest_goes_first() -> None:
    one, other, third = RUN[:10], RUN[5:15], RUN[10:]
    pieces = Pieces(len(encoded(one)) + len(encoded(third)))
    kept = pieces.piece(STOCKS, LINE, one)
    gone = pieces.piece(STOCKS, LINE, other)
    pieces.piece(STOCKS, LINE, one)
    pieces.piece(STOCKS, LINE, third)
    assert pieces.piece(STOCKS, LINE, one) is kept
    assert pieces.piece(STOCKS, LINE, other) is not gone
    assert pieces.size == len(encoded(one)) + len(encoded(other))


def test_a_few_events_are_not_worth_keeping() -> None:
    pieces = Pieces(1 << 20)
    assert pieces.piece(STOCKS, LINE, RUN[:3]) == encoded(RUN[:3])
    assert pieces.size == 0


def test_one_that_is_larger_than_all_is_told_and_forgotten() -> None:
    pieces = Pieces(100)
    assert pieces.piece(STOCKS, LINE, RUN) == encoded(RUN)
    assert pieces.size == 0


def test_the_bound_is_a_few_megabytes() -> None:
    assert module.PIECES._limit_bytes <= 8 << 20  # noqa: SLF001 -- memory has no other witness
