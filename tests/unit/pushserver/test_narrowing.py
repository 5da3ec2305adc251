"""A watch that is granted in part, and narrowed: it is told that part, in the same way, and nothing else."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.grants import Grants
from shared.pattern import Pattern
from shared.principal import Principal
from shared.problem import Problem
from shared.resource import Watch
from tests.support.core_client import Client, broadcast, hub_of
from tests.support.core_output import Frame
from tests.support.events import delete, put

IDS = ("a", "ab", "abc", "b", "ba", "c")
PARTS = st.lists(st.sampled_from([*IDS, "a*", "ab*", "b*", "c*"]), min_size=1, max_size=4)
STEPS = st.lists(st.tuples(st.sampled_from(IDS), st.booleans()), max_size=12)


def ann(*patterns: str, narrows: bool = True) -> Principal:
    return Principal("ann", 2e9, Grants(("watch", Pattern.parse(text)) for text in patterns), narrows=narrows)


def of(*parts: str) -> Principal:
    return ann(*(f"stocks/{part}" for part in parts))


def data(frames: list[Frame], principal: Principal | None = None) -> list[Frame]:
    return [
        frame
        for frame in frames
        if "version" in frame
        and (principal is None or principal.grants.cover("watch", Watch("stocks", frame["resource"].split("/")[1])))
    ]


def told(steps: list[tuple[str, bool]], at: int) -> list[Any]:
    return [(put if is_put else delete)(each, at + number) for number, (each, is_put) in enumerate(steps)]


@given(parts=PARTS, before=STEPS, batches=st.lists(STEPS, max_size=3), prefix=st.sampled_from(["", "a", "ab"]))
def test_it_is_told_what_a_wide_watch_is_told_of_that_part(
    parts: list[str], before: list[tuple[str, bool]], batches: list[list[tuple[str, bool]]], prefix: str
) -> None:
    principal = of(*parts)
    hub = hub_of(*told(before, 0))
    label = f"stocks?prefix={prefix}" if prefix else "stocks"
    narrowed, wide = Client(hub, principal=principal), Client(hub)
    if not any(part.startswith(prefix) or (prefix.startswith(part.rstrip("*")) and "*" in part) for part in parts):
        with pytest.raises(Problem, match="forbidden"):
            narrowed.watch(label)
        return
    narrowed.watch(label)
    wide.watch(label)
    assert data(narrowed.frames()) == data(wide.frames(), principal)
    at = len(before)
    for steps in batches:
        broadcast(hub, *told(steps, at))
        at += len(steps)
        wanted = data(wide.frames(), principal)
        said = narrowed.said()
        assert [each.frame for each in said if each.frame and "version" in each.frame] == wanted
        assert len(said) >= bool(wanted)


def synced(client: Client) -> str:
    return str(next(frame["cursor"] for frame in client.frames() if frame["event"] == "synced"))


def begun(client: Client, cursor: str) -> list[str]:
    client.watch("stocks", cursor=cursor)
    return client.story()


def test_it_goes_on_from_its_cursor_and_from_one_of_everything() -> None:
    hub = hub_of(put("a", 0), put("b", 1))
    mine, all_of_it = Client(hub, principal=of("a")), Client(hub)
    mine.watch("stocks")
    all_of_it.watch("stocks")
    for cursor in (synced(mine), synced(all_of_it)):
        assert begun(Client(hub, principal=of("a")), cursor) == ["synced"]
    assert begun(Client(hub, principal=of("a")), synced(_watching(hub, of("a", "b")))) == ["reset", "a@0", "synced"]


def test_the_cursor_of_a_part_proves_nothing_of_more() -> None:
    hub = hub_of(put("a", 0), put("b", 1))
    cursor = synced(_watching(hub, of("a")))
    assert begun(Client(hub, principal=of("a", "b")), cursor) == ["reset", "a@0", "b@1", "synced"]
    assert begun(Client(hub), cursor) == ["reset", "a@0", "b@1", "synced"]


def _watching(hub: Any, principal: Principal) -> Client:
    client = Client(hub, principal=principal)
    client.watch("stocks")
    return client


def test_what_was_left_out_for_a_slow_reader_is_counted_of_its_part_only() -> None:
    hub = hub_of()
    client = _watching(hub, of("a"))
    client.frames()
    client.subscriber.blocked = True
    for at in range(6):
        broadcast(hub, put("ab"[at % 2], at))
    client.subscriber.blocked = False
    client.subscriber.pump()
    client.subscriber.tick()
    bookmark = next(frame for frame in client.frames() if frame["event"] == "bookmark")
    assert bookmark["skipped"] == 2


def test_it_can_be_ended_by_the_name_it_was_asked_for() -> None:
    hub = hub_of()
    client = _watching(hub, of("a", "b*"))
    assert client.op(op="unsubscribe", watch="stocks", ref=1)["event"] == "ack"
    assert hub.channel("stocks").audience.size == 0
    broadcast(hub, put("a", 0), put("bb", 1))
    assert client.frames() == []


def test_a_newer_token_that_grants_another_part_ends_it_and_one_of_the_same_does_not() -> None:
    hub = hub_of(put("a", 0), put("b", 1))
    client = _watching(hub, of("a"))
    client.frames()
    client.session.renew(of("a"), "a token", 1)
    assert client.story() == ["ack"]
    client.session.renew(of("a", "b"), "a token", 2)
    assert [frame.get("code") for frame in client.frames()] == ["forbidden", None]
    client.watch("stocks")
    assert client.story() == ["a@0", "b@1", "synced"]


def test_where_it_is_not_configured_it_is_refused() -> None:
    client = Client(hub_of(), principal=ann("stocks/a", narrows=False))
    assert client.op(op="subscribe", watch="stocks")["code"] == "forbidden"


def test_of_what_nothing_is_granted_is_refused() -> None:
    client = Client(hub_of(), principal=of("a*"))
    assert client.op(op="subscribe", watch="stocks", prefix="b")["code"] == "forbidden"


@pytest.mark.parametrize("patterns", [("*",), ("stocks/*",), ("stocks/a", "stocks/*")])
def test_what_is_granted_whole_is_not_narrowed(patterns: tuple[str, ...]) -> None:
    assert ann(*patterns).watched(Watch("stocks")) == Watch("stocks")


def test_parts_that_say_the_same_are_the_same() -> None:
    one, other = of("a*", "ab", "ab*", "c").watched(Watch("stocks")), of("c", "a*").watched(Watch("stocks"))
    assert one == other
    assert one.scope == other.scope != of("a*").watched(Watch("stocks")).scope


def test_nothing_is_kept_of_who_has_left() -> None:
    hub = hub_of()
    clients = [_watching(hub, of("a", "b*")), _watching(hub, of("a"))]
    for client in clients:
        hub.leave(client.subscriber)
    parts = hub.channel("stocks").audience._parts  # noqa: SLF001 -- nothing public would show a leak
    assert (len(parts), parts._by_id, parts._by_prefix) == (0, {}, {})  # noqa: SLF001 -- the same
