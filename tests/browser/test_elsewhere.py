"""Pages of other origins, in a real Chromium: what an allowed one sees, and what one that isn't gets nothing of."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext

from tests.browser.elsewhere import Elsewhere, asked, at, elsewhere

pytestmark = pytest.mark.browser

FRIENDS = ("friend", "cousin")
STRANGERS = ("stranger", "lookalike")
SEEN = {"seen": "secret"}
WITH_COOKIES, WITHOUT_COOKIES = True, False


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def sites(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Elsewhere]:
    async with elsewhere(tmp_path_factory.mktemp("elsewhere")) as running:
        yield running


def bearer(sites: Elsewhere) -> dict[str, Any]:
    return {"headers": {"Authorization": f"Bearer {sites.token()}"}}


def putting(options: dict[str, Any], data: str) -> dict[str, Any]:
    headers = {**options.get("headers", {}), "Content-Type": "application/json"}
    return {**options, "method": "PUT", "body": data, "headers": headers}


def socket_of(sites: Elsewhere) -> str:
    return f"{sites.api}/items/mine/ws".replace("http", "ws", 1)


async def ticket(sites: Elsewhere, context: BrowserContext, origin: str) -> str:
    page = await at(context, origin)
    options = {**bearer(sites), "method": "POST", "body": '{"watches": ["items/mine"]}'}
    options["headers"]["Content-Type"] = "application/json"
    answer = await asked(page, "fetch", f"{sites.api}/tickets", options)
    assert answer["status"] == 200, answer
    found: str = answer["seen"]["ticket"]
    return found


async def logged_in(sites: Elsewhere, context: BrowserContext) -> None:
    """The visitor has been at `friend`, whose backend has given the browser a cookie for that host."""
    page = await context.new_page()
    await page.goto(f"{sites.friend}/login?token={sites.token()}")
    assert [each["name"] for each in await context.cookies(sites.api)] == [sites.identity.auth.cookie]


@pytest.mark.parametrize("name", FRIENDS)
async def test_an_allowed_page_with_a_token_reads_streams_and_writes(
    name: str, sites: Elsewhere, context: BrowserContext
) -> None:
    page = await at(context, getattr(sites, name))
    read = await asked(page, "fetch", f"{sites.api}/items/mine", bearer(sites))
    assert read == {"status": 200, "seen": "secret", "cursor": True}
    assert await asked(page, "stream", f"{sites.api}/items/mine", bearer(sites)) == {"status": 200, **SEEN}
    before = len(sites.publisher.writes)
    wrote = await asked(page, "fetch", f"{sites.api}/items/mine", putting(bearer(sites), '"new"'))
    assert (wrote["status"], wrote["seen"]["version"]) == (200, "1")
    assert [write.value for write in sites.publisher.writes[before:]] == [b'"new"']
    protocols = ["watch.v1.json", f"bearer.{sites.token()}"]
    assert await asked(page, "socket", socket_of(sites), protocols) == {**SEEN, "protocol": "watch.v1.json"}


@pytest.mark.parametrize("name", STRANGERS)
async def test_another_page_gets_nothing_even_with_a_good_token(
    name: str, sites: Elsewhere, context: BrowserContext
) -> None:
    page = await at(context, getattr(sites, name))
    before, written = sites.refusals(), len(sites.publisher.writes)
    url = f"{sites.api}/items/mine"
    for how, options in (("fetch", bearer(sites)), ("stream", bearer(sites))):
        assert await asked(page, how, url, options) == {"refused": "TypeError"}
    protocols = ["watch.v1.json", f"bearer.{sites.token()}"]
    assert await asked(page, "socket", socket_of(sites), protocols) == {"refused": 1006}
    assert sites.refusals() == before + 3
    wrote = await asked(page, "fetch", f"{sites.api}/items/mine", putting(bearer(sites), '"evil"'))
    assert wrote == {"refused": "TypeError"}
    assert len(sites.publisher.writes) == written


async def test_an_allowed_page_may_ask_with_the_cookie_of_its_visitor(
    sites: Elsewhere, context: BrowserContext
) -> None:
    await logged_in(sites, context)
    page = await at(context, sites.friend)
    carried = {"credentials": "include"}
    read = await asked(page, "fetch", f"{sites.api}/items/mine", carried)
    assert read == {"status": 200, "seen": "secret", "cursor": True}
    assert await asked(page, "stream", f"{sites.api}/items/mine", carried) == {"status": 200, **SEEN}
    assert await asked(page, "source", f"{sites.api}/items/mine/stream", WITH_COOKIES) == SEEN
    assert (await asked(page, "socket", socket_of(sites), ["watch.v1.json"]))["seen"] == "secret"
    before = len(sites.publisher.writes)
    wrote = await asked(page, "fetch", f"{sites.api}/items/mine", putting(carried, '"by cookie"'))
    assert wrote["status"] == 200
    assert len(sites.publisher.writes) == before + 1


async def test_another_page_of_the_same_host_has_the_cookie_sent_and_is_refused(
    sites: Elsewhere, context: BrowserContext
) -> None:
    await logged_in(sites, context)
    page = await at(context, sites.stranger)
    before, written = sites.refusals(), len(sites.publisher.writes)
    carried = {"credentials": "include"}
    assert await asked(page, "fetch", f"{sites.api}/items/mine", carried) == {"refused": "TypeError"}
    assert await asked(page, "stream", f"{sites.api}/items/mine", carried) == {"refused": "TypeError"}
    assert await asked(page, "source", f"{sites.api}/items/mine/stream", WITH_COOKIES) == {"refused": "closed"}
    assert await asked(page, "socket", socket_of(sites), ["watch.v1.json"]) == {"refused": 1006}
    assert sites.refusals() == before + 4
    for options in (putting(carried, '"evil"'), {**carried, "method": "POST", "body": "[]", "mode": "no-cors"}):
        target = "items/mine" if options["method"] == "PUT" else "items"
        assert "seen" not in await asked(page, "fetch", f"{sites.api}/{target}", options)
    assert len(sites.publisher.writes) == written


async def test_without_the_cookie_an_allowed_page_is_asked_for_a_token(
    sites: Elsewhere, context: BrowserContext
) -> None:
    page = await at(context, sites.friend)
    answer = await asked(page, "fetch", f"{sites.api}/items/mine", {"credentials": "include"})
    assert (answer["status"], answer["seen"]["code"]) == (401, "unauthenticated")
    assert await asked(page, "source", f"{sites.api}/items/mine/stream", WITH_COOKIES) == {"refused": "closed"}


@pytest.mark.parametrize("name", FRIENDS)
async def test_a_ticket_opens_an_event_source_and_a_socket_once(
    name: str, sites: Elsewhere, context: BrowserContext
) -> None:
    origin = getattr(sites, name)
    page = await at(context, origin)
    for how, url, argument in (
        ("source", f"{sites.api}/items/mine/stream", WITHOUT_COOKIES),
        ("socket", socket_of(sites), ["watch.v1.json"]),
    ):
        address = f"{url}?ticket={await ticket(sites, context, origin)}"
        assert (await asked(page, how, address, argument))["seen"] == "secret"
        assert "refused" in await asked(page, how, address, argument)


async def test_a_ticket_is_of_no_use_to_another_page(sites: Elsewhere, context: BrowserContext) -> None:
    for name in ("stranger", "lookalike", "cousin"):
        page = await at(context, getattr(sites, name))
        source = f"{sites.api}/items/mine/stream?ticket={await ticket(sites, context, sites.friend)}"
        assert await asked(page, "source", source, WITHOUT_COOKIES) == {"refused": "closed"}
        socket = f"{socket_of(sites)}?ticket={await ticket(sites, context, sites.friend)}"
        assert await asked(page, "socket", socket, ["watch.v1.json"]) == {"refused": 1006}
