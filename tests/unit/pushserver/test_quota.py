"""Quotas: who has how much open, counted up, down and over to another name."""

import pytest

from services.pushserver.quota import Quota
from services.pushserver.subscriber import Subscriber
from shared.problem import Problem
from tests.support.core_client import Client, hub_of

LIMITS = {"connections_per_principal": 2, "connections_per_address": 3, "watches_per_principal": 4}


def quota(**limits: int) -> Quota:
    return Quota(**{**LIMITS, **limits})


def subscriber() -> Subscriber:
    return Client(hub_of()).subscriber


def limit_of(refused: pytest.ExceptionInfo[Problem]) -> str:
    return str(refused.value.members["limit"])


def test_a_principal_has_so_many_connections_and_others_have_theirs() -> None:
    counted = quota()
    first, second = subscriber(), subscriber()
    counted.enter(first, "ann", "")
    counted.enter(second, "ann", "")
    with pytest.raises(Problem) as refused:
        counted.check("ann", "")
    assert (refused.value.code, limit_of(refused)) == ("too_many_connections", "connections_per_principal")
    counted.check("bob", "")
    counted.leave(first)
    counted.check("ann", "")


def test_an_address_has_so_many_whoever_they_are_of() -> None:
    counted = quota()
    for sub in ("ann", "bob", ""):
        counted.enter(subscriber(), sub, "192.0.2.7")
    with pytest.raises(Problem) as refused:
        counted.check("eve", "192.0.2.7")
    assert limit_of(refused) == "connections_per_address"
    counted.check("eve", "192.0.2.8")


def test_who_has_no_name_and_no_address_is_not_counted() -> None:
    counted = quota()
    for _ in range(9):
        counted.enter(subscriber(), "", "")
    counted.check("", "")
    assert len(counted) == 0


def test_nought_is_no_limit() -> None:
    counted = quota(connections_per_principal=0, connections_per_address=0, watches_per_principal=0)
    for _ in range(9):
        counted.enter(subscriber(), "ann", "192.0.2.7")
    counted.check("ann", "192.0.2.7")


def test_everything_is_forgotten_when_all_have_left() -> None:
    counted = quota()
    connections = [subscriber() for _ in range(2)]
    for each in connections:
        counted.enter(each, "ann", "192.0.2.7")
    for each in (*connections, *connections):
        counted.leave(each)
    assert not counted._accounts  # noqa: SLF001 -- nothing public would show a leak
    assert not counted._addresses  # noqa: SLF001 -- the same


def test_watches_of_a_principal_are_counted_over_its_connections() -> None:
    hub, counted = hub_of(), quota()
    clients = [Client(hub), Client(hub)]
    for client in clients:
        counted.enter(client.subscriber, "ann", "")
        for name in "ab":
            client.watch(f"stocks/{name}")
    refused = clients[0].op(op="subscribe", watch="stocks/c")
    assert (refused["code"], refused["limit"]) == ("too_many_watches", "watches_per_principal")
    clients[1].op(op="unsubscribe", watch="stocks/a", ref=1)
    clients[0].watch("stocks/c")
    assert clients[0].op(op="subscribe", watch="stocks/d")["code"] == "too_many_watches"
    counted.leave(clients[1].subscriber)
    clients[0].watch("stocks/d")


def test_who_leaves_takes_all_its_watches_along() -> None:
    hub, counted = hub_of(), quota()
    stays, goes = Client(hub), Client(hub)
    for client in (stays, goes):
        counted.enter(client.subscriber, "ann", "")
    account = stays.subscriber.subscriptions.account
    for name in "abc":
        goes.watch(f"stocks/{name}")
    assert account.watches == 3
    goes.subscriber.drop_all()
    assert account.watches == 0
    counted.leave(goes.subscriber)
    assert account.watches == 0


def test_a_connection_moves_to_the_name_that_it_shows_later() -> None:
    counted = quota(connections_per_principal=1)
    first, second = Client(hub_of()), Client(hub_of())
    counted.enter(first.subscriber, "", "192.0.2.7")
    first.watch("stocks/a")
    counted.rename(first.subscriber, "ann")
    assert first.subscriber.subscriptions.account.watches == 1
    counted.enter(second.subscriber, "", "192.0.2.7")
    with pytest.raises(Problem):
        counted.rename(second.subscriber, "ann")
    counted.rename(first.subscriber, "ann")
    counted.leave(first.subscriber)
    counted.rename(second.subscriber, "ann")
