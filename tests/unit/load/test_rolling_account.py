"""What a watcher of a rolling restart was told is compared with what was written."""

import pytest

from load.rolling.account import Account, Findings

TRUTH = {"feed/A": [1, 4, 7], "feed/B": [2, 5]}


def account(mode: str, *connections: list[tuple[str, int]]) -> Account:
    """One that was told these changes, connection by connection."""
    told = Account(mode)
    for changes in connections:
        told.on_connection()
        for resource, version in changes:
            told.on_change(f"feed/{resource}", version)
    return told


def test_everything_in_order_is_faultless() -> None:
    told = account("log", [("A", 1), ("B", 2), ("A", 4)], [("B", 5), ("A", 7)])
    assert told.judge(TRUTH) == Findings(told=5)


def test_in_log_mode_a_version_that_was_not_told_is_lost() -> None:
    assert account("log", [("A", 1), ("B", 2)], [("B", 5), ("A", 7)]).judge(TRUTH).lost == 1
    assert account("log").judge(TRUTH).lost == 5


def test_in_state_mode_versions_in_between_may_be_missing_but_not_the_newest() -> None:
    assert account("state", [("A", 7), ("B", 5)]).judge(TRUTH) == Findings(told=2)
    assert account("state", [("A", 4), ("B", 5)]).judge(TRUTH).stale == 1
    assert account("state").judge(TRUTH).stale == 2


@pytest.mark.parametrize("mode", ["state", "log"])
def test_a_version_that_does_not_increase_on_a_connection_is_out_of_order(mode: str) -> None:
    assert account(mode, [("A", 4), ("A", 1)]).judge({}).disordered == 1
    assert account(mode, [("A", 4), ("A", 4)]).judge({}).disordered == 1
    assert account(mode, [("A", 4)], [("A", 4)]).judge({}).disordered == 0


def test_a_repeat_after_a_reconnect_is_counted_and_in_state_mode_how_often_it_was_the_same_resource() -> None:
    again = account("state", [("A", 1), ("A", 4)], [("A", 1), ("A", 4)]).judge({})
    assert (again.repeats, again.most_repeats) == (2, 2)
    once_each = account("state", [("A", 1)], [("A", 1)], [("A", 1)]).judge({})
    assert (once_each.repeats, once_each.most_repeats) == (2, 1)
    log = account("log", [("A", 1), ("A", 4)], [("A", 1), ("A", 4)]).judge({})
    assert (log.repeats, log.most_repeats) == (2, 0)


def test_a_reset_is_counted() -> None:
    told = account("state", [("A", 1)])
    told.on_reset()
    assert told.judge({}).resets == 1


def test_findings_add_up_and_the_most_repeats_is_of_one() -> None:
    total = Findings(told=1, lost=2, most_repeats=1)
    total.add(Findings(told=2, stale=3, disordered=1, resets=1, repeats=4, most_repeats=3))
    assert total == Findings(told=3, disordered=1, resets=1, lost=2, stale=3, repeats=4, most_repeats=3)
