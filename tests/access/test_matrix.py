"""The authorization matrix: route x carrier x credential. What isn't granted is refused, before anything is shown."""

import ssl
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from infra.cluster.front_door import FrontDoor
from tests.access.asking import Asked, ask
from tests.access.conftest import Served, Writing
from tests.access.identity import Identity
from tests.access.matrix import GRANTS, READS, WRITES, WRONG, carriers_of, carry, granted


class Case(NamedTuple):
    """A row: what is asked for, where the token is, and what kind of token it is."""

    route: str
    carrier: str
    credential: str

    @property
    def writes(self) -> bool:
        return self.route in WRITES


def cases() -> Iterator[Case]:
    for routes, writes in ((READS, False), (WRITES, True)):
        for name, (route, _) in routes.items():
            yield Case(name, "nowhere", "none")
            for carrier in carriers_of(route, writes=writes):
                for credential in (*GRANTS, *WRONG):
                    yield Case(name, carrier, credential)


CASES = list(cases())


def test_the_matrix_is_as_large_as_the_document_says() -> None:
    assert len(CASES) == 1141


def expected(case: Case) -> tuple[int, str]:
    if case.credential == "none":
        return 401, "unauthenticated"
    if case.credential in WRONG:
        return 401, "token_expired" if case.credential == "expired" else "unauthenticated"
    route, wide = (WRITES if case.writes else READS)[case.route]
    if not granted(case.route, case.credential, wide=wide):
        return 403, "forbidden"
    return (101 if route.upgrade else 200), ""


async def answer_to(case: Case, identity: Identity, port: int, tls: ssl.SSLContext | None = None) -> Asked:
    route, _ = (WRITES if case.writes else READS)[case.route]
    if case.credential == "none":
        return await ask(port, route, {}, tls=tls)
    action, other = ("publish", "watch") if case.writes else ("watch", "publish")
    if case.credential in WRONG:
        token = identity.bad(f"{action}:*")[case.credential]
    else:
        token = identity.token(GRANTS[case.credential][0].format(action=action, other=other))
    carried = carry(case.carrier, token)
    answer = await ask(port, route, carried.headers, carried.query, tls=tls)
    # Nothing that was shown comes back, not even the subprotocol.
    assert token.encode() not in answer.head.encode() + answer.body
    return answer


@pytest.mark.parametrize("case", CASES, ids="/".join)
async def test_what_is_granted_is_shown_and_nothing_else(
    case: Case, identity: Identity, served: Served, written: Writing
) -> None:
    written.publisher.writes.clear()
    answer = await answer_to(case, identity, written.port if case.writes else served.port)
    check(case, answer)
    assert bool(written.publisher.writes) == (case.writes and answer.status == 200)


def check(case: Case, answer: Asked) -> None:
    status, code = expected(case)
    head = case.route == "head"
    assert (answer.status, answer.code) == (status, "" if head else code), answer.body
    if status >= 400:
        assert b"secret" not in answer.body


@pytest.mark.parametrize("route", [*READS, *WRITES])
async def test_it_is_the_same_through_the_front_door(
    route: str, identity: Identity, written: Writing, door: FrontDoor
) -> None:
    trusted = ssl.create_default_context(cafile=str(door.ca))
    for case in CASES:
        if case.route == route:
            written.publisher.writes.clear()
            answer = await answer_to(case, identity, door.port, trusted)
            check(case, answer)
            assert bool(written.publisher.writes) == (case.writes and answer.status == 200)
