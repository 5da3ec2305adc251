"""Tickets: for pages that can't show a token with what they ask."""

import asyncio
import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.pushserver.tickets import LIFE_S, Tickets
from shared.problem import Problem
from tests.access.asking import Asked, Route, ask
from tests.access.conftest import Served, serving
from tests.access.identity import PAGES, Identity
from tests.access.matrix import carry

STREAM = Route("GET", "/v1/items/mine/stream", streams=True)
SOCKET = Route("GET", "/v1/items/mine", upgrade=True)
SEVERAL = Route("GET", "/v1/watch/ws?resource=items/mine&resource=items/hers", upgrade=True)
EVIL = "https://evil.example"


async def asked_for(
    port: int, token: str | None, watches: Any, *, origin: str | None = None, body: bytes | None = None
) -> Asked:
    route = Route("POST", "/v1/tickets", body=json.dumps({"watches": watches}).encode() if body is None else body)
    headers = carry("header", token).headers if token else {}
    return await ask(port, route, {**headers, **({"Origin": origin} if origin else {})})


async def ticket_for(served: Served, identity: Identity, *watches: str, origin: str | None = None) -> str:
    answer = await asked_for(served.port, identity.token("watch:items/*"), watches, origin=origin)
    assert answer.status == 200, answer.body
    content = orjson.loads(answer.body)
    assert content["expires_in_ms"] == 30_000
    ticket: str = content["ticket"]
    return ticket


@pytest.mark.parametrize("route", [STREAM, SOCKET, Route("GET", "/v1/items/mine/poll?wait=0")])
async def test_a_ticket_opens_what_it_is_for_once(route: Route, identity: Identity, served: Served) -> None:
    ticket = await ticket_for(served, identity, "items/mine")
    first = await ask(served.port, route, {}, f"ticket={ticket}")
    assert first.status == (101 if route.upgrade else 200)
    again = await ask(served.port, route, {}, f"ticket={ticket}")
    assert (again.status, again.code) == (401, "unauthenticated")
    assert ticket.encode() not in first.head.encode() + again.head.encode() + again.body


async def test_it_opens_nothing_else(identity: Identity, served: Served) -> None:
    for target in ("/v1/items/hers/stream", "/v1/items/stream", "/v1/others/x/poll"):
        ticket = await ticket_for(served, identity, "items/mine")
        answer = await ask(served.port, Route("GET", target), {}, f"ticket={ticket}")
        assert (answer.status, answer.code) == (403, "forbidden")


async def test_it_is_for_streams_and_not_for_reading(identity: Identity, served: Served) -> None:
    ticket = await ticket_for(served, identity, "items/mine")
    answer = await ask(served.port, Route("GET", "/v1/items/mine"), {}, f"ticket={ticket}")
    assert (answer.status, answer.code) == (400, "invalid")


async def test_one_for_several_watches_opens_them_together(identity: Identity, served: Served) -> None:
    ticket = await ticket_for(served, identity, "items/mine", "items/hers")
    assert (await ask(served.port, SEVERAL, {}, f"ticket={ticket}")).status == 101


async def test_what_is_not_granted_gets_no_ticket(identity: Identity, served: Served) -> None:
    token = identity.token("watch:items/mine")
    for watches in (["items/hers"], ["items"], ["items/mine", "others/x"], ["items?prefix=m"]):
        answer = await asked_for(served.port, token, watches)
        assert (answer.status, answer.code) == (403, "forbidden")
    assert (await asked_for(served.port, None, ["items/mine"])).status == 401
    assert (await asked_for(served.port, identity.bad("watch:*")["expired"], ["items/mine"])).status == 401


@pytest.mark.parametrize(
    ("given", "shown", "status"),
    [
        (PAGES, {"Origin": PAGES}, 101),
        (PAGES, {}, 101),
        (PAGES, {"Sec-Fetch-Site": "same-origin"}, 101),
        (PAGES, {"Sec-Fetch-Site": "cross-site"}, 401),
        (PAGES, {"Origin": EVIL}, 403),
        (None, {"Origin": PAGES}, 401),
        (None, {}, 101),
    ],
)
async def test_it_is_for_the_page_that_asked_for_it(
    given: str | None, shown: dict[str, str], status: int, identity: Identity, served: Served
) -> None:
    ticket = await ticket_for(served, identity, "items/mine", origin=given)
    assert (await ask(served.port, SOCKET, shown, f"ticket={ticket}")).status == status


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"watches":"items"}', b'{"watches":[]}', b'{"watches":[1]}', b"{", b"\xff"]
)
async def test_a_body_that_names_no_watches_is_refused(body: bytes, identity: Identity, served: Served) -> None:
    answer = await asked_for(served.port, identity.token("watch:*"), None, body=body)
    assert answer.status in {400, 415}
    many = await asked_for(served.port, identity.token("watch:*"), [f"items/{number}" for number in range(101)])
    assert (many.status, many.code) == (400, "invalid")


async def test_it_works_on_every_server_that_shares_the_secret(tmp_path: Path) -> None:
    secret = tmp_path / "tickets"
    secret.write_bytes(b"0123456789abcdef" * 2)
    identity = Identity(tmp_path, ticket_secret_file=secret)
    async with serving(identity.auth) as one, serving(identity.auth) as other:
        ticket = await ticket_for(one, identity, "items/mine")
        assert (await ask(other.port, SOCKET, {}, f"ticket={ticket}")).status == 101


async def test_it_is_no_good_where_the_secret_is_another(identity: Identity, served: Served) -> None:
    ticket = await ticket_for(served, identity, "items/mine")
    async with serving(identity.auth) as stranger:
        assert (await ask(stranger.port, SOCKET, {}, f"ticket={ticket}")).status == 401


@pytest.mark.parametrize("ticket", ["", "x", "%FF%FE", "a" * 10_000, "-" * 100])
async def test_what_is_no_ticket_is_refused(ticket: str, served: Served) -> None:
    answer = await ask(served.port, SOCKET, {}, f"ticket={ticket}")
    assert (answer.status, answer.code) == (401, "unauthenticated")


async def test_it_lives_for_half_a_minute_and_no_longer_than_the_token(identity: Identity, served: Served) -> None:
    now = 1_700_000_000.0
    tickets = Tickets(b"x" * 32, lambda: now)
    async with asyncio.timeout(5):
        principal = await served.server.gate.verify(identity.token("watch:*"))
    ticket = tickets.issue(principal, [], None)
    now += LIFE_S - 0.1
    assert tickets.take(ticket, {}).sub == "ann"
    late = tickets.issue(principal, [], None)
    now += LIFE_S + 0.1
    with pytest.raises(Problem, match="older"):
        tickets.take(late, {})
