"""A rolling restart that breaks a promise is found to."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from load.rolling.account import Findings
from load.rolling.chart import chart
from load.rolling.figures import Outcome, WindowFigures
from load.rolling.scale import Scale
from load.rolling.timeline import Sample, Timeline, Window

WINDOW = Window("pushserver1", 3.0, 13.0)
SCALE = Scale(watchers=300, servers=3, reconnect_s=2)
GOOD = Outcome(
    windows=[WindowFigures("pushserver1", 100, 10.0, 14)],
    shares={"pushserver1": 1.2, "pushserver2": 0.8},
    findings=Findings(told=1000),
    cut=0,
    sent_away=100,
    failures={},
    longest_away_s=2.5,
)


def timeline(per_second: list[int]) -> Timeline:
    """One in which so many came back in each second."""
    made = Timeline()
    made.reconnects = [second + 0.5 for second, count in enumerate(per_second) for _ in range(count)]
    made.windows.append(WINDOW)
    made.samples.append(Sample(20.0, {"pushserver1": 150, "pushserver2": 100, "pushserver3": 50}))
    return made


def test_a_good_run_breaks_nothing() -> None:
    assert GOOD.broken() == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"shares": {"pushserver1": 1.51}}, "pushserver1 has 1.51 × its share"),
        ({"windows": [WindowFigures("w", 100, 10.0, 21)]}, "w: 21 reconnects in a second, 10.0 on average"),
        ({"windows": [WindowFigures("w", 0, 0.0, 0)]}, "w: 0 reconnects in a second, 0.0 on average"),
        ({"findings": Findings(told=5, lost=1)}, "lost: 1"),
        ({"findings": Findings(told=5, stale=2)}, "stale: 2"),
        ({"findings": Findings(told=5, resets=1)}, "resets: 1"),
        ({"findings": Findings(told=5, disordered=1)}, "disordered: 1"),
        ({"findings": Findings(told=5, most_repeats=2)}, "a resource was repeated 2 times after one reconnect"),
        ({"findings": Findings()}, "nobody was told anything"),
        ({"cut": 1}, "1 were cut"),
        ({"longest_away_s": 10.1}, "a watcher was away for 10.1 s"),
    ],
)
def test_each_promise_can_be_broken(change: dict[str, Any], said: str) -> None:
    assert replace(GOOD, **change).broken() == [said]


def test_a_reload_may_cut_each_of_them_once() -> None:
    assert replace(GOOD, cut=300).broken(cuts=300) == []
    assert replace(GOOD, cut=301).broken(cuts=300) == ["301 were cut"]


def test_a_window_counts_those_who_come_back_a_little_after_it() -> None:
    per_second = [9, 0, 0, *[10] * 12, 4, 7, 7]
    figures = WindowFigures.of(WINDOW, per_second, late_s=2)
    assert figures == WindowFigures("pushserver1", 124, 12.4, 10)
    assert figures.flatness == pytest.approx(0.81)


def test_shares_are_multiples_of_the_even_one(monkeypatch: pytest.MonkeyPatch) -> None:
    run = timeline([0] * 20)
    monkeypatch.setattr(run, "now_s", lambda: 20.0)
    run.failures = Counter({"503": 2})
    outcome = Outcome.of(run, Findings(told=1), SCALE)
    assert outcome.shares == {"pushserver1": 1.5, "pushserver2": 1.0, "pushserver3": 0.5}
    assert outcome.failures == {"503": 2}


def test_who_comes_back_is_counted_by_the_second_and_who_was_there_before_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = Timeline()
    run.accepted()
    run.begin()
    for now in (0.2, 0.9, 2.1):
        monkeypatch.setattr(run, "now_s", lambda now=now: now)
        run.accepted()
    run.synced(1.5)
    run.synced(None)
    assert run.per_second() == [2, 0, 1]
    assert run.longest_away_s == pytest.approx(0.6)


def test_the_picture_has_a_bar_for_each_second_and_a_curve_for_each_server(monkeypatch: pytest.MonkeyPatch) -> None:
    run = timeline([0, 0, 0, 5, 7])
    monkeypatch.setattr(run, "now_s", lambda: 20.0)
    drawn = chart("a <run>", run, {"pushserver1": 6.0}, SCALE.even_share)
    assert drawn.count('class="bar"') == 2
    assert drawn.count("<polyline") == 3
    assert drawn.count('class="window"') == 2
    assert "a &lt;run&gt;" in drawn
