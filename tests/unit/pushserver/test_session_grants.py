"""What an operation may ask for: what the connection's principal is granted, and nothing else."""

import pytest

from services.pushserver.session import Publish, Renew
from shared.grants import Grants
from shared.pattern import Pattern
from shared.principal import Principal
from shared.problem import Problem
from tests.support.core_client import Client, broadcast, hub_of
from tests.support.events import put


def ann(*patterns: str, sub: str = "ann") -> Principal:
    grants = Grants(
        ("publish" if text.startswith("+") else "watch", Pattern.parse(text.strip("+"))) for text in patterns
    )
    return Principal(sub, 2e9, grants)


def test_a_watch_needs_a_grant_for_all_that_it_can_show() -> None:
    client = Client(hub_of(), principal=ann("stocks/a*"))
    for watch in (
        {"watch": "stocks"},
        {"watch": "stocks/b"},
        {"watch": "stocks", "prefix": "b"},
        {"watch": "nothing/a"},
    ):
        assert client.op(op="subscribe", **watch)["code"] == "forbidden"
    client.watch("stocks?prefix=ab")
    assert [frame["event"] for frame in client.frames()] == ["synced"]


def test_a_write_needs_a_grant_of_its_own_and_goes_on_with_the_token() -> None:
    client = Client(hub_of(), principal=ann("stocks/*", "+stocks/a"))
    client.session.hold("the token")
    assert client.op(op="publish", resource="stocks/b", data=1)["code"] == "forbidden"
    wanted = client.session.on_op({"op": "publish", "resource": "stocks/a", "data": 1})
    assert isinstance(wanted, Publish)
    assert wanted.token is not None
    assert wanted.token.get_secret_value() == "the token"
    assert "the token" not in repr(wanted)


def test_a_token_that_grants_no_write_is_not_kept() -> None:
    client = Client(hub_of(), principal=ann("stocks/*"))
    client.session.hold("the token")
    client.session.renew(ann("stocks/*"), "another", 1)
    client.session.principal = ann("stocks/*", "+stocks/a")
    wanted = client.session.on_op({"op": "publish", "resource": "stocks/a", "data": 1})
    assert isinstance(wanted, Publish)
    assert wanted.token is None


def test_a_newer_token_is_to_be_verified_first() -> None:
    renew = Client(hub_of()).session.on_op({"op": "auth", "token": "a.b.c", "ref": 7})
    assert isinstance(renew, Renew)
    assert (renew.token.get_secret_value(), renew.ref) == ("a.b.c", 7)
    assert "a.b.c" not in repr(renew)


def test_a_narrower_token_ends_what_it_does_not_cover_and_nothing_else() -> None:
    hub = hub_of()
    client = Client(hub, principal=ann("stocks/*"))
    for label in ("stocks", "stocks/a", "stocks/b"):
        client.watch(label)
    client.frames()
    client.session.renew(ann("stocks/a"), "token", 7)
    told = [(frame["event"], frame.get("watch"), frame.get("ref")) for frame in client.frames()]
    assert told == [("problem", "stocks", None), ("problem", "stocks/b", None), ("ack", None, 7)]
    broadcast(hub, put("a", 0), put("b", 1), put("c", 2))
    assert client.story() == ["a@0"]


def test_a_token_of_somebody_else_is_not_taken() -> None:
    client = Client(hub_of(), principal=ann("stocks/a"))
    with pytest.raises(Problem, match="another `sub`"):
        client.session.renew(ann("stocks/*", sub="bob"), "token", None)
    assert client.op(op="subscribe", watch="stocks")["code"] == "forbidden"
