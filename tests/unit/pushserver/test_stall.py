from services.pushserver.transports.peer import Look
from services.pushserver.transports.stall import Stall


def look(taken: int) -> Look:
    return Look(waiting=True, taken=taken, shut=True)


def test_it_lasts_from_when_something_was_first_seen_to_wait() -> None:
    stall = Stall(look(10), now=100.0)
    assert stall.lasts_s(look(10), now=100.0) == 0
    assert stall.lasts_s(look(10), now=107.5) == 7.5


def test_a_byte_taken_begins_it_anew() -> None:
    stall = Stall(look(10), now=100.0)
    assert stall.lasts_s(look(11), now=107.0) == 0
    assert stall.lasts_s(look(11), now=109.0) == 2


def test_where_only_what_is_left_is_known_less_of_it_is_progress_too() -> None:
    stall = Stall(look(10), now=100.0)
    assert stall.lasts_s(look(9), now=107.0) == 0


def test_who_was_told_that_it_is_ended_has_as_long_again_to_read_that() -> None:
    stall = Stall(look(10), now=100.0)
    stall.begin_anew(look(10), now=160.0)
    assert stall.lasts_s(look(10), now=161.0) == 1
