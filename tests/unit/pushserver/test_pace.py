"""When the broker should gather records: by the rate, with a dead zone in between."""

from services.pushserver.pace import BUSY_PER_S, QUIET_PER_S, Pace


def feed(pace: Pace, since_s: float, per_s: float, windows: int = 1) -> float:
    """Count records at a rate, a window of 100 ms at a time; returns the time after."""
    for _ in range(windows):
        since_s += 0.125
        pace.count(round(per_s * 0.125), since_s)
    return since_s


def test_it_begins_quiet() -> None:
    assert not Pace(0.0).busy


def test_many_records_make_it_busy_and_few_make_it_quiet() -> None:
    pace = Pace(0.0)
    now = feed(pace, 0.0, BUSY_PER_S)
    assert pace.busy
    feed(pace, now, QUIET_PER_S - 20)
    assert not pace.busy


def test_between_the_thresholds_it_stays_what_it_was() -> None:
    pace = Pace(0.0)
    now = feed(pace, 0.0, BUSY_PER_S - 100, windows=5)
    assert not pace.busy
    now = feed(pace, now, BUSY_PER_S)
    feed(pace, now, QUIET_PER_S + 20, windows=5)
    assert pace.busy


def test_a_change_is_told_once_and_only_after_a_whole_window() -> None:
    pace = Pace(0.0)
    assert not pace.count(1000, 0.09)
    assert pace.count(1000, 0.1)
    assert not pace.count(1000, 0.2)


def test_a_burst_before_a_window_is_over_counts_in_it() -> None:
    pace = Pace(0.0)
    pace.count(150, 0.05)
    assert pace.count(0, 0.125)
    assert pace.busy
