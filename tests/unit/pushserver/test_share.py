"""A server's share of the watchers, and what it does beyond it."""

import pytest

from services.pushserver.share import FORGOTTEN_AFTER_S, Share

LEVEL_S = 30


def state(here: int, of_all: int, *, weight: str = "100/300", node: str = "door", word: str = "UP") -> str:
    """What HAProxy says, as 2.6 writes it."""
    server = "address=127.0.0.1; port=8081; name=pushserver/s1"
    return f"{word}; {server}; node={node}; weight={weight}; scur={here}/{of_all}; qcur=0"


def told(*states: str, level_s: float = LEVEL_S) -> Share:
    """A share that has heard these, a second between two."""
    share = Share(level_s)
    for second, each in enumerate(states):
        share.hear(each, float(second))
    return share


def leaving(share: Share, here: int, now_s: float = 0.0) -> float:
    """How many of its watchers are to be sent away in a second."""
    return share.leaving_per_s(here, now_s) * here


def test_a_server_with_its_share_keeps_everybody() -> None:
    share = told(state(1000, 3000))
    assert not share.full
    assert leaving(share, 1000) == 0
    assert not share.refuses("a")


def test_a_surplus_is_sent_away_at_an_even_rate_within_the_time_that_is_given() -> None:
    share = told(state(1600, 3000))
    assert share.full
    assert leaving(share, 1600) == pytest.approx(600 / LEVEL_S)
    share.hear(state(1200, 3000), 1)
    assert leaving(share, 1200) == pytest.approx(600 / LEVEL_S), "as fast as at the beginning"


def test_it_goes_faster_when_the_surplus_has_grown() -> None:
    assert leaving(told(state(1300, 3000), state(1600, 3000)), 1600) == pytest.approx(600 / LEVEL_S)


def test_chance_is_no_surplus_and_one_that_was_begun_is_levelled_further() -> None:
    assert not told(state(1240, 3000)).full
    assert told(state(1260, 3000), state(1110, 3000)).full
    assert not told(state(1260, 3000), state(1090, 3000)).full


def test_the_share_goes_by_weight_so_that_a_server_which_starts_slowly_is_not_counted_as_empty() -> None:
    assert told(state(1500, 3000, weight="100/200")).full is False
    assert told(state(1500, 3000, weight="100/210")).full is False
    assert told(state(1500, 3000, weight="100/300")).full


def test_the_only_server_that_is_up_keeps_everybody() -> None:
    assert not told(state(3000, 3000, weight="100/100")).full


def test_few_watchers_are_not_worth_a_reconnect() -> None:
    assert not told(state(45, 49)).full
    assert not told(state(29, 60)).full
    assert told(state(31, 60)).full


@pytest.mark.parametrize("word", ["NOLB", "DOWN 1/2", "DRAIN", "MAINT", "no check"])
def test_a_door_that_sends_nobody_counts_for_nothing(word: str) -> None:
    share = told(state(1600, 3000), state(1600, 3000, word=word))
    assert not share.full
    assert leaving(share, 1600) == 0


def test_a_check_that_fails_once_is_no_end() -> None:
    assert told(state(1600, 3000, word="UP 1/2")).full


def test_several_doors_are_added_up() -> None:
    assert not told(state(900, 1500, node="a"), state(100, 1500, node="b")).full
    assert told(state(900, 1500, node="a"), state(700, 1500, node="b")).full


def test_the_last_word_of_a_door_that_has_gone_is_forgotten() -> None:
    share = told(state(1600, 3000))
    assert leaving(share, 1600, FORGOTTEN_AFTER_S) > 0
    assert leaving(share, 1600, FORGOTTEN_AFTER_S + 0.1) == 0
    assert not share.full


def test_a_door_that_has_gone_takes_only_its_own_word_with_it() -> None:
    share = Share(LEVEL_S)
    share.hear(state(100, 1500, node="a"), 0)
    share.hear(state(900, 1500, node="b"), 9)
    assert leaving(share, 1000, 9) == 0
    assert leaving(share, 900, FORGOTTEN_AFTER_S + 1) == pytest.approx(400 / LEVEL_S)


def test_a_full_server_refuses_each_request_once_so_that_nobody_is_left_with_a_refusal() -> None:
    share = told(state(1600, 3000))
    assert [share.refuses(name) for name in ("a", "b", "a", "b", "c")] == [True, True, False, False, True]


@pytest.mark.parametrize("name", [None, ""])
def test_a_request_that_no_door_would_bring_elsewhere_is_not_refused(name: str | None) -> None:
    assert not told(state(1600, 3000)).refuses(name)


def test_what_was_refused_is_remembered_for_the_newest_only() -> None:
    share = told(state(1600, 3000))
    assert all(share.refuses(str(number)) for number in range(5000))
    assert not share.refuses("4999")
    assert share.refuses("0")


def test_without_a_time_nothing_is_levelled() -> None:
    share = told(state(3000, 3000, weight="1/300"), level_s=0)
    assert not share.full


@pytest.mark.parametrize("text", ["", "UP", "UP; node=a; weight=x/3; scur=1/2; qcur=0", "UP; weight=1/2"])
def test_what_is_not_understood_says_nothing(text: str) -> None:
    share = told(state(1600, 3000), text)
    assert share.full


def test_who_was_sent_away_and_is_still_here_is_no_surplus_any_more() -> None:
    share = told(state(1600, 3000))
    share.hear(state(1600, 3000), 1, going=500)
    assert leaving(share, 1100) == 0
    assert share.refuses("a"), "they would be led back"
    share.hear(state(1100, 3000), 2)
    assert not share.full
    share = Share(LEVEL_S)
    share.hear(state(1600, 3000), 0, going=300)
    assert leaving(share, 1300) == pytest.approx(300 / LEVEL_S)
