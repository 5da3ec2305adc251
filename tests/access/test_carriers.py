"""Where a token may be shown, and what a page of elsewhere may not do with a cookie."""

from pathlib import Path

import pytest

from tests.access.asking import Route, ask
from tests.access.conftest import Served, Writing, serving
from tests.access.identity import COOKIE, PAGES, Identity
from tests.access.matrix import carry

GET = Route("GET", "/v1/items/mine")
SOCKET = Route("GET", "/v1/items/mine", upgrade=True)
PUT = Route("PUT", "/v1/items/mine", body=b"1")


async def test_a_token_is_shown_once(identity: Identity, served: Served) -> None:
    token = identity.token("watch:*")
    answer = await ask(served.port, GET, carry("header", token).headers, f"token={token}")
    assert (answer.status, answer.code) == (400, "invalid")


async def test_one_that_is_shown_wins_over_a_cookie(identity: Identity, served: Served) -> None:
    headers = {**carry("header", identity.token("watch:*")).headers, "Cookie": f"{COOKIE}=a.b.c"}
    assert (await ask(served.port, GET, headers)).status == 200


@pytest.mark.parametrize("written", ["Basic YTpi", "Bearer", "Token x", "Bearer a b"])
async def test_other_authorization_is_refused(written: str, served: Served) -> None:
    answer = await ask(served.port, GET, {"Authorization": written})
    assert (answer.status, answer.code) == (401, "unauthenticated")


async def test_a_token_in_the_address_is_refused_unless_it_was_allowed(identity: Identity, tmp_path: Path) -> None:
    careful = Identity(tmp_path, token_in_query=False, cookie=None)
    token = careful.token("watch:*")
    async with serving(careful.auth) as served:
        refused = await ask(served.port, GET, {}, f"token={token}")
        without_cookie = await ask(served.port, GET, carry("cookie", token).headers)
    assert (refused.status, refused.code) == (400, "invalid")
    assert token.encode() not in refused.body
    assert without_cookie.status == 401
    assert identity.auth.token_in_query


PAGES_SEEN = [
    (GET, {}, 200),
    (GET, {"Sec-Fetch-Site": "cross-site"}, 403),
    (GET, {"Sec-Fetch-Site": "same-origin"}, 200),
    (GET, {"Origin": "https://evil.example"}, 403),
    (GET, {"Origin": "null"}, 403),
    (GET, {"Origin": f"{PAGES}.evil.example"}, 403),
    (SOCKET, {"Origin": PAGES}, 101),
    (SOCKET, {"Origin": "https://evil.example"}, 403),
    (SOCKET, {}, 403),
    (SOCKET, {"Sec-Fetch-Site": "same-origin"}, 101),
]


@pytest.mark.parametrize(("route", "headers", "status"), PAGES_SEEN)
async def test_a_cookie_counts_only_for_pages_that_may_ask(
    route: Route, headers: dict[str, str], status: int, identity: Identity, served: Served
) -> None:
    cookie = {"Cookie": f"{COOKIE}={identity.token('watch:*')}"}
    assert (await ask(served.port, route, {**cookie, **headers})).status == status


WRITES = [
    ({}, 403),
    ({"Origin": "https://evil.example"}, 403),
    ({"Sec-Fetch-Site": "cross-site"}, 403),
    ({"Sec-Fetch-Site": "same-site"}, 403),
    ({"Origin": PAGES}, 200),
    ({"Sec-Fetch-Site": "same-origin"}, 200),
]


@pytest.mark.parametrize(("headers", "status"), WRITES)
async def test_a_write_by_cookie_has_to_come_from_a_page_that_may_ask(
    headers: dict[str, str], status: int, identity: Identity, written: Writing
) -> None:
    cookie = {"Cookie": f"{COOKIE}={identity.token('publish:*')}"}
    assert (await ask(written.port, PUT, {**cookie, **headers})).status == status


@pytest.mark.parametrize(("origin", "status"), [(PAGES, 101), ("https://evil.example", 403), ("null", 403)])
async def test_a_page_of_elsewhere_opens_no_websocket_even_with_a_good_token(
    origin: str, status: int, identity: Identity, served: Served
) -> None:
    shown = carry("header", identity.token("watch:*")).headers
    assert (await ask(served.port, SOCKET, {**shown, "Origin": origin})).status == status


async def test_a_page_of_the_same_origin_is_no_stranger(identity: Identity, served: Served) -> None:
    shown = carry("header", identity.token("watch:*")).headers
    here = {"Origin": f"http://127.0.0.1:{served.port}"}
    assert (await ask(served.port, SOCKET, {**shown, **here})).status == 101
    proxied = {"Origin": f"https://127.0.0.1:{served.port}", "X-Forwarded-Proto": "https"}
    assert (await ask(served.port, SOCKET, {**shown, **proxied})).status == 101
