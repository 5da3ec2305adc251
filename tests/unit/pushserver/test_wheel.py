"""The wheel: everybody's turn comes, spread out, and not for who has left."""

from itertools import pairwise

from services.pushserver.counters import Counters
from services.pushserver.subscriber import Subscriber
from services.pushserver.wheel import SLOTS, Wheel
from services.pushserver.wire import LINES
from tests.support.core_output import FakeSink


def subscribers(count: int) -> list[Subscriber]:
    return [Subscriber(LINES["json"], FakeSink(), Counters(), limit_bytes=1000) for _ in range(count)]


def filled(members: list[Subscriber]) -> Wheel:
    wheel = Wheel(seed=7)
    for member in members:
        wheel.add(member)
    return wheel


def test_a_turn_comes_every_revolution_give_or_take_a_fifth() -> None:
    (member,) = members = subscribers(1)
    wheel = filled(members)
    turns = [at for at in range(100 * SLOTS) if member in wheel.turn()]
    gaps = {later - earlier for earlier, later in pairwise(turns)}
    assert 0.8 * SLOTS - 1 <= min(gaps) < 0.9 * SLOTS
    assert 1.1 * SLOTS < max(gaps) <= 1.2 * SLOTS + 1
    assert 90 <= len(turns) <= 110


def test_everybody_has_a_turn_and_they_are_spread() -> None:
    members = subscribers(640)
    wheel = filled(members)
    turns = [wheel.turn() for _ in range(round(1.2 * SLOTS) + 1)]
    assert {id(member) for turn in turns for member in turn} == {id(member) for member in members}
    assert max(map(len, turns)) < 100


def test_who_has_left_has_no_turn() -> None:
    staying, leaving = members = subscribers(2)
    wheel = filled(members)
    wheel.remove(leaving)
    wheel.remove(leaving)
    assert list(wheel) == [staying]
    assert all(leaving not in wheel.turn() for _ in range(3 * SLOTS))
    assert len(wheel) == 1


def test_one_may_leave_while_all_are_looked_at() -> None:
    members = subscribers(20)
    wheel = filled(members)
    for member in wheel:
        wheel.remove(member)
    assert len(wheel) == 0


def test_a_crowd_that_came_at_once_is_spread_over_one_revolution_and_the_others_stay_where_they_are() -> None:
    members = subscribers(660)
    crowd, others = members[:640], members[640:]
    wheel = filled(members)
    places = [member.slot for member in others]
    wheel.scatter(crowd)
    assert [member.slot for member in others] == places
    turns = [[member for member in wheel.turn() if member in crowd] for _ in range(SLOTS)]
    assert {id(member) for turn in turns for member in turn} == {id(member) for member in crowd}
    assert max(map(len, turns)) < 30
    assert min(sum(map(len, turns[quarter : quarter + SLOTS // 4])) for quarter in range(0, SLOTS, SLOTS // 4)) > 100
    assert len(wheel) == len(members)
