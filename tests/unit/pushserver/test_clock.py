"""How far the server's clock is ahead of those that date records."""

from typing import NamedTuple

import pytest

from services.pushserver.clock import WINDOW_MS, ClockAhead

NOW_MS = 1_700_000_000_000


class Record(NamedTuple):
    """As far as it is looked at."""

    timestamp: int


def noted(*delays_ms: int, now_ms: int = NOW_MS) -> ClockAhead:
    """A clock that has seen records which were dated so much before they came."""
    clock = ClockAhead()
    for delay_ms in delays_ms:
        clock.note([Record(now_ms - delay_ms)], now_ms)
    return clock


@pytest.mark.parametrize(
    ("delays_ms", "ahead_s"), [((40, 15, 900), 0.015), ((3_600_020, 3_600_005), 3600.005), ((-60_000, 10), -60)]
)
def test_the_smallest_difference_is_of_the_clocks(delays_ms: tuple[int, ...], ahead_s: float) -> None:
    assert noted(*delays_ms).seconds(NOW_MS) == pytest.approx(ahead_s)


def test_of_a_fetch_the_last_record_counts() -> None:
    clock = ClockAhead()
    clock.note([Record(NOW_MS), Record(NOW_MS - 700)], NOW_MS)
    assert clock.seconds(NOW_MS) == 0.7


def test_nothing_is_said_when_nothing_arrived_or_had_a_time() -> None:
    clock = ClockAhead()
    clock.note([], NOW_MS)
    clock.note([Record(-1)], NOW_MS)
    assert clock.seconds(NOW_MS) is None


def test_what_was_found_is_forgotten_after_some_minutes() -> None:
    clock = noted(20)
    clock.note([Record(NOW_MS + WINDOW_MS - 500)], NOW_MS + WINDOW_MS)
    assert clock.seconds(NOW_MS + WINDOW_MS + 1) == 0.02
    assert clock.seconds(NOW_MS + 2 * WINDOW_MS) == 0.5
    assert clock.seconds(NOW_MS + 3 * WINDOW_MS) is None
    assert noted(20).seconds(NOW_MS + 2 * WINDOW_MS) is None


def test_a_clock_that_is_set_back_is_judged_by_what_comes_then() -> None:
    clock = noted(3_600_000)
    back_ms = NOW_MS - 3_600_000
    clock.note([Record(back_ms - 30)], back_ms)
    assert clock.seconds(back_ms) == 0.03
