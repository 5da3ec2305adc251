"""Where it is configured, what isn't granted looks as if it weren't there; and what is public is everybody's."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
import pytest_asyncio

from tests.access.asking import Asked, Route, ask
from tests.access.conftest import Served, serving
from tests.access.identity import Identity
from tests.access.matrix import carry

_PAIRS = 600
ROUTES = {
    "get": "/v1/{}/mine",
    "listing": "/v1/{}",
    "stream": "/v1/{}/mine/stream",
    "poll": "/v1/{}/poll",
    "several": "/v1/watch/poll?resource={}/mine",
    "a mode that isn't there": "/v1/{}/stream?mode=log",
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hiding(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Identity, Served]]:
    folder: Path = tmp_path_factory.mktemp("hiding")
    identity = Identity(folder, hide=True)
    async with serving(identity.auth) as served:
        yield identity, served


def same(one: Asked, other: Asked, name: str) -> bool:
    """Whether two answers differ in nothing but the name that was asked for, and the date."""
    written = one.body.replace(b"others", name.encode())
    lines = [
        [line for line in answer.head.lower().split("\r\n") if not line.startswith(("date:", "content-length:"))]
        for answer in (one, other)
    ]
    return written == other.body and lines[0] == lines[1]


@pytest.mark.parametrize("target", ROUTES.values(), ids=ROUTES)
@pytest.mark.parametrize("upgrade", [False, True], ids=["http", "websocket"])
async def test_not_allowed_and_not_there_are_the_same_to_the_letter(
    target: str, hiding: tuple[Identity, Served], *, upgrade: bool
) -> None:
    identity, served = hiding
    shown = carry("header", identity.token("watch:items/mine")).headers
    if upgrade:
        target = target.replace("/stream", "/ws").replace("/poll", "/ws")
    forbidden = await ask(served.port, Route("GET", target.format("others"), upgrade=upgrade), shown)
    absent = await ask(served.port, Route("GET", target.format("nobody"), upgrade=upgrade), shown)
    assert (forbidden.status, forbidden.code) == (404, "not_found")
    assert same(forbidden, absent, "nobody")


async def test_not_allowed_and_not_there_take_the_same_time(hiding: tuple[Identity, Served]) -> None:
    identity, served = hiding
    shown = carry("header", identity.token("watch:items/mine")).headers

    async def lasted(name: str) -> float:
        began = time.perf_counter()
        await ask(served.port, Route("GET", f"/v1/{name}/mine"), shown)
        return time.perf_counter() - began

    slower = 0
    for number in range(_PAIRS):
        # In turns, so that neither is always the one behind a pause of the machine.
        order = ("others", "nobody") if number % 2 else ("nobody", "others")
        times = {name: await lasted(name) for name in order}
        slower += times["others"] > times["nobody"]
    # Five standard deviations of a fair coin.
    assert abs(slower - _PAIRS / 2) < 5 * (_PAIRS**0.5) / 2


async def test_without_hiding_it_is_forbidden_whether_or_not_it_is_there(identity: Identity, served: Served) -> None:
    shown = carry("header", identity.token("watch:items/mine")).headers
    for name in ("others", "nobody"):
        answer = await ask(served.port, Route("GET", f"/v1/{name}/x"), shown)
        assert (answer.status, answer.code) == (403, "forbidden")


async def test_who_shows_nothing_learns_nothing_of_what_there_is(served: Served) -> None:
    answers = [await ask(served.port, Route("GET", f"/v1/{name}"), {}) for name in ("others", "nobody")]
    assert {(answer.status, answer.code) for answer in answers} == {(401, "unauthenticated")}
    assert answers[0].body == answers[1].body
    assert "www-authenticate: bearer" in answers[0].head.lower()


async def test_what_is_public_is_shown_without_a_token_and_with_any(identity: Identity, served: Served) -> None:
    route = Route("GET", "/v1/open")
    for headers in ({}, carry("header", identity.token("")).headers):
        answer = await ask(served.port, route, headers)
        assert answer.status == 200
        assert orjson.loads(answer.body)["frames"] == []


async def test_a_bad_token_is_refused_where_none_is_needed(identity: Identity, served: Served) -> None:
    shown = carry("header", identity.bad("watch:*")["wrong key"]).headers
    assert (await ask(served.port, Route("GET", "/v1/open"), shown)).status == 401
