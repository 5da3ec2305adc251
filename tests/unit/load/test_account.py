"""What makes a load test fail: a gap, a step back, a repetition, and what is not there in the end."""

import pytest

from load.users.account import Account, Kind, Verdict
from load.users.specimen import Stamp

APPLE, PEAR = "fruit/apple", "fruit/pear"


def stamp(seq: int, by: str = "p") -> Stamp:
    return Stamp(by, seq, 10**18 + seq)


def thorough(*told: tuple[int, int]) -> tuple[Account, list[Verdict]]:
    account = Account(every=True)
    return account, [account.note(APPLE, version, stamp(seq)) for version, seq in told]


def test_changes_in_order_are_new() -> None:
    _, verdicts = thorough((10, 3), (11, 4), (17, 5))
    assert verdicts == [Verdict(Kind.NEW)] * 3


def test_a_gap_is_a_loss_of_so_many() -> None:
    _, verdicts = thorough((10, 3), (14, 7))
    assert verdicts[-1] == Verdict(Kind.NEW, lost=3)


def test_a_gap_is_counted_once() -> None:
    _, verdicts = thorough((10, 3), (14, 7), (15, 8))
    assert [verdict.lost for verdict in verdicts] == [0, 3, 0]


def test_in_state_mode_values_in_between_may_be_missing() -> None:
    account = Account(every=False)
    account.note(APPLE, 10, stamp(3))
    assert account.note(APPLE, 14, stamp(7)) == Verdict(Kind.NEW)


@pytest.mark.parametrize("every", [True, False])
def test_an_older_version_is_a_regress(every: bool) -> None:  # noqa: FBT001 -- a parameter of the test
    account = Account(every=every)
    account.note(APPLE, 10, stamp(3))
    assert account.note(APPLE, 9, stamp(2)) == Verdict(Kind.REGRESS)
    assert account.note(APPLE, 11, stamp(4)) == Verdict(Kind.NEW)


@pytest.mark.parametrize("every", [True, False])
def test_the_same_version_twice_on_one_connection_is_a_duplicate(every: bool) -> None:  # noqa: FBT001 -- (same)
    account = Account(every=every)
    account.note(APPLE, 10, stamp(3))
    assert account.note(APPLE, 10, stamp(3)) == Verdict(Kind.DUPLICATE)


def test_whoever_comes_back_may_be_told_again() -> None:
    account, _ = thorough((10, 3), (11, 4))
    account.connect()
    assert account.note(APPLE, 10, stamp(3)) == Verdict(Kind.AGAIN)
    assert account.note(APPLE, 11, stamp(4)) == Verdict(Kind.AGAIN)
    assert account.note(APPLE, 12, stamp(5)) == Verdict(Kind.NEW)


def test_a_gap_over_a_reconnect_is_a_loss() -> None:
    account, _ = thorough((10, 3))
    account.connect()
    assert account.note(APPLE, 14, stamp(5)) == Verdict(Kind.NEW, lost=1)


def test_whoever_begins_anew_has_lost_nothing() -> None:
    account, _ = thorough((10, 3))
    account.forget()
    assert account.note(APPLE, 4, stamp(9)) == Verdict(Kind.NEW)


def test_a_change_that_its_publisher_wrote_twice_is_neither_new_nor_wrong() -> None:
    _, verdicts = thorough((10, 3), (11, 3), (12, 4))
    assert verdicts == [Verdict(Kind.NEW), Verdict(Kind.AGAIN), Verdict(Kind.NEW)]


def test_resources_and_publishers_count_by_themselves() -> None:
    account = Account(every=True)
    told = [(APPLE, 1, stamp(1)), (PEAR, 2, stamp(8)), (APPLE, 3, stamp(5, "q")), (APPLE, 4, stamp(2))]
    assert [account.note(*change) for change in told] == [Verdict(Kind.NEW)] * 4


def test_a_value_of_others_is_held_to_its_version_only() -> None:
    account = Account(every=True)
    assert account.note(APPLE, 10, None) == Verdict(Kind.NEW)
    assert account.note(APPLE, 9, None) == Verdict(Kind.REGRESS)


def test_whoever_has_not_come_as_far_as_what_was_acknowledged_is_behind() -> None:
    account, _ = thorough((10, 3))
    assert account.behind({APPLE: 10}, [APPLE]) == []
    assert account.behind({APPLE: 11}, [APPLE]) == [APPLE]
    assert account.behind({APPLE: 10, PEAR: 0}, [APPLE, PEAR]) == [PEAR]
    assert account.behind({PEAR: 7}, [APPLE]) == []
