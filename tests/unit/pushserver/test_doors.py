"""Which front doors are leaving, by their silence."""

import gc
from typing import Final

import pytest

from services.pushserver.doors import GONE_AFTER_S, LEAST_SILENCE_S, SILENT_CHECKS, Door, Doors

DOOR: Final = "front-1-8"
INTERVAL: Final = "2s"
SILENCE_S: Final = SILENT_CHECKS * 2.0


def door_of(doors: Doors, name: str = DOOR) -> Door:
    """As somebody holds it who came through it."""
    door = doors.named(name)
    assert door is not None
    return door


def checked(*names: str, interval: str = INTERVAL, at_s: float = 0.0) -> Doors:
    """Doors that have checked this server."""
    doors = Doors()
    for name in names:
        doors.hear(name, interval, at_s)
    return doors


def test_a_door_that_goes_on_checking_stays() -> None:
    doors = checked(DOOR)
    for second in range(0, 60, 2):
        doors.hear(DOOR, INTERVAL, second)
        doors.look(second + 1.9, 0)
        assert not door_of(doors).leaving


def test_a_door_leaves_that_has_left_out_a_few_checks_and_all_who_came_through_it_know() -> None:
    doors = checked(DOOR)
    held = door_of(doors)
    doors.look(SILENCE_S, 0)
    assert not held.leaving
    doors.look(SILENCE_S + 0.1, 0)
    assert held.leaving
    assert door_of(doors) is held, "who comes through it now has to leave, too"


def test_that_a_door_leaves_is_news_once() -> None:
    doors = checked(DOOR, "front-2-8")
    doors.hear("front-2-8", INTERVAL, 5)
    held = door_of(doors), door_of(doors, "front-2-8")
    assert doors.look(SILENCE_S, 0) == set()
    assert doors.look(SILENCE_S + 1, 0) == {held[0]}
    assert doors.look(SILENCE_S + 6, 0) == {held[1]}
    assert doors.look(GONE_AFTER_S + 1, 0) == set()


def test_other_doors_are_not_meant() -> None:
    doors = checked(DOOR, "front-2-8")
    doors.hear("front-2-8", INTERVAL, SILENCE_S)
    doors.look(SILENCE_S + 1, 0)
    assert door_of(doors).leaving
    assert not door_of(doors, "front-2-8").leaving


def test_a_door_that_was_only_asleep_stays_when_it_checks_again() -> None:
    doors = checked(DOOR)
    held = door_of(doors)
    doors.look(SILENCE_S + 1, 0)
    doors.hear(DOOR, INTERVAL, SILENCE_S + 2)
    assert not held.leaving
    doors.look(SILENCE_S + 3, 0)
    assert not held.leaving


def test_a_server_that_was_asleep_itself_has_heard_nobody_and_holds_it_against_nobody() -> None:
    doors = checked(DOOR)
    doors.look(1, 0)
    doors.look(61, 59.8)
    assert not door_of(doors).leaving
    doors.hear(DOOR, INTERVAL, 62)
    doors.look(62 + SILENCE_S + 0.1, 0.05)
    assert door_of(doors).leaving, "what was slept through counts once"


@pytest.mark.parametrize(("interval", "silence_s"), [("4s", 20), ("4000", 20), ("4000ms", 20), ("1m", 300)])
def test_silence_goes_by_the_interval_that_the_door_says(interval: str, silence_s: float) -> None:
    doors = checked(DOOR, interval=interval)
    doors.look(min(silence_s, GONE_AFTER_S) - 1, 0)
    assert not door_of(doors).leaving
    if silence_s < GONE_AFTER_S:
        doors.look(silence_s + 1, 0)
        assert door_of(doors).leaving


def test_short_intervals_are_not_taken_at_their_word() -> None:
    doors = checked(DOOR, interval="100ms")
    doors.look(LEAST_SILENCE_S - 0.1, 0)
    assert not door_of(doors).leaving
    doors.look(LEAST_SILENCE_S + 0.1, 0)
    assert door_of(doors).leaving


@pytest.mark.parametrize("interval", [None, "", "soon", "-2s", "2 s", "9" * 10])
def test_a_door_that_does_not_say_when_it_checks_is_never_missed(interval: str | None) -> None:
    doors = Doors()
    doors.hear(DOOR, interval, 0)
    doors.look(1000, 0)
    assert not door_of(doors).leaving


def test_a_name_that_nobody_checks_with_never_leaves() -> None:
    """It is what strangers make up, and the doors of others who don't check."""
    doors = checked(DOOR)
    held = door_of(doors, "made up")
    doors.look(SILENCE_S + 1, 0)
    assert not held.leaving


def test_whoever_is_still_there_after_the_end_of_a_door_is_left_alone() -> None:
    doors = checked(DOOR)
    held = door_of(doors)
    doors.look(GONE_AFTER_S, 0)
    assert held.leaving
    doors.look(GONE_AFTER_S + 0.1, 0)
    assert not held.leaving
    doors.look(GONE_AFTER_S + SILENCE_S, 0)
    assert not held.leaving


def test_a_name_costs_nothing_beyond_those_who_hold_it() -> None:
    doors = Doors()
    held = [door_of(doors, f"made up {number}") for number in range(100)]
    assert len(doors) == len(held)
    del held
    gc.collect()
    assert len(doors) == 0


@pytest.mark.parametrize("name", [None, "", "x" * 129])
def test_what_is_no_name_is_no_door(name: str | None) -> None:
    doors = Doors()
    assert doors.named(name) is None
    doors.hear(name, INTERVAL, 0)
    assert len(doors) == 0


def test_only_so_many_doors_are_listened_to() -> None:
    doors = checked(*(f"door-{number}" for number in range(2000)))
    assert len(doors) == 1024
