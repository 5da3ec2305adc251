"""Who is found by what changes, against a look at every watch."""

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from services.pushserver.audience import Audience
from services.pushserver.group import NO_SOCKET
from services.pushserver.wire import WS_JSON, Wire
from shared.event import Event
from shared.resource import Watch, Within
from tests.support.events import put

IDS = ("a", "ab", "abc", "abcd", "b", "é")
WATCHES = st.sampled_from(
    [Watch("stocks")]
    + [Watch("stocks", resource_id) for resource_id in IDS]
    + [Watch("stocks", prefix=prefix) for prefix in ("a", "ab", "abc", "abcde", "é")]
    + [Watch("stocks", within=Within.of(*part)) for part in ((["a", "é"], ["ab"]), (["b"], ["a", "abc"]))]
    + [Watch("stocks", prefix="a", within=Within.of([], ["abc", "abd"]))]
)


class Member:
    """Somebody with a watch, told apart from others with the same one."""

    def __init__(self, watch: Watch, wire: Wire = WS_JSON["json"], direct: int = NO_SOCKET) -> None:
        self.watch = watch
        self.wire = wire
        self.direct = direct


class Hit(NamedTuple):
    member: Member
    event: int


def hits(audience: Audience[Member], events: list[Event]) -> list[Hit]:
    groups = list(audience.match(events))
    assert all(members for members, _ in groups)
    return [Hit(member, index) for members, indexes in groups for member in members for index in indexes]


@given(st.lists(WATCHES, max_size=12), st.lists(st.sampled_from(IDS), max_size=6), st.data())
def test_everyone_concerned_is_found_once_for_each_event(
    watches: list[Watch], ids: list[str], data: st.DataObject
) -> None:
    audience: Audience[Member] = Audience()
    members = [Member(watch) for watch in watches]
    for member in members:
        audience.add(member)
    gone = data.draw(st.lists(st.sampled_from(members), unique=True)) if members else []
    for member in gone:
        audience.remove(member)
    staying = [member for member in members if member not in gone]
    events = [put(resource_id, at) for at, resource_id in enumerate(ids)]
    expected = [Hit(m, at) for m in staying for at, event in enumerate(events) if m.watch.covers(event.id)]
    assert sorted(map(id_of, hits(audience, events))) == sorted(map(id_of, expected))
    assert audience.size == len(staying)


def id_of(hit: Hit) -> tuple[int, int]:
    return id(hit.member), hit.event


def test_the_events_of_a_group_stay_in_order() -> None:
    audience: Audience[Member] = Audience()
    audience.add(Member(Watch("stocks", prefix="a")))
    events = [put(resource_id, at) for at, resource_id in enumerate(("a", "b", "ab", "a"))]
    assert [indexes for _, indexes in audience.match(events)] == [[0, 2, 3]]


def test_an_id_does_not_match_a_longer_prefix() -> None:
    audience: Audience[Member] = Audience()
    short, long = Member(Watch("stocks", prefix="ab")), Member(Watch("stocks", prefix="abcd"))
    audience.add(short)
    audience.add(long)
    assert hits(audience, [put("ab", 0)]) == [Hit(short, 0)]


def test_nothing_happens_to_who_is_not_in() -> None:
    audience: Audience[Member] = Audience()
    for watch in (Watch("stocks"), Watch("stocks", "a"), Watch("stocks", prefix="a")):
        audience.add(Member(watch))
        audience.remove(Member(watch))
    assert audience.size == 3


def test_what_nobody_watches_any_more_is_forgotten() -> None:
    audience: Audience[Member] = Audience()
    members = [Member(Watch("stocks", "a")), Member(Watch("stocks", "a")), Member(Watch("stocks", prefix="a"))]
    for member in members:
        audience.add(member)
    for member in members:
        audience.remove(member)
    assert not audience._by_id  # noqa: SLF001 -- memory has no other witness
    assert not audience._by_prefix  # noqa: SLF001 -- see above


def test_a_resource_with_one_watcher_holds_no_set() -> None:
    audience: Audience[Member] = Audience()
    member = Member(Watch("stocks", "a"))
    audience.add(member)
    assert audience._by_id["a"] is member  # noqa: SLF001 -- memory has no other witness
