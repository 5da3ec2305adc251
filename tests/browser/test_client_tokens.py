"""The JavaScript client shows tokens from a page of another origin, in a real Chromium, and renews them."""

import time
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page, Route

from tests.browser.client_site import of_the_package
from tests.browser.elsewhere import Elsewhere, at, elsewhere

pytestmark = pytest.mark.browser
SHORT_S: Final = 4
SCOPE: Final = "watch:items/mine publish:items/mine"
BEGIN: Final = """async ({ server, path, transports, tickets }) => {
    const { WatchClient } = await import("/src/index.js");
    window.client = new WatchClient(server, { token: () => freshToken(), transports, tickets });
    window.seen = [];
    (async () => { for await (const { event, data } of client.watch(path)) seen.push(data ?? event); })()
        .catch(({ code }) => seen.push(code));
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def sites(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Elsewhere]:
    async with elsewhere(tmp_path_factory.mktemp("tokens")) as running:
        yield running


class Visitor:
    """A page that asks for tokens here; the first of them is good for four seconds, if it is `short`."""

    def __init__(self, sites: Elsewhere, *, short: bool) -> None:
        self.sites = sites
        self.short = short
        self.asked = 0
        self.sockets: list[str] = []

    def token(self) -> str:
        self.asked += 1
        is_short = self.short and self.asked == 1
        return self.sites.identity.token(SCOPE, exp=int(time.time()) + (SHORT_S if is_short else 600))

    async def begin(self, context: BrowserContext, path: str, transport: str, *, tickets: bool = False) -> Page:
        await context.route(f"{self.sites.friend}/src/**", _answer)
        page = await at(context, self.sites.friend)
        await page.expose_function("freshToken", self.token)
        page.on("websocket", lambda socket: self.sockets.append(socket.url))
        server = self.sites.api.removesuffix("/v1")
        await page.evaluate(BEGIN, {"server": server, "path": path, "transports": [transport], "tickets": tickets})
        return page


async def _answer(route: Route) -> None:
    body, kind = of_the_package(urlsplit(route.request.url).path)
    await route.fulfill(body=body, content_type=kind)


async def sees(page: Page, what: str) -> None:
    await page.wait_for_function("what => seen.includes(what)", arg=what)


@pytest.mark.parametrize("transport", ["ws", "sse", "poll"])
async def test_a_token_that_ends_is_renewed_and_nothing_is_missed(
    sites: Elsewhere, context: BrowserContext, transport: str
) -> None:
    visitor = Visitor(sites, short=True)
    page = await visitor.begin(context, "items/mine", transport)
    await sees(page, "synced")
    # Past the end of the first token, and of the leeway.
    await page.wait_for_function("at => Date.now() > at", arg=(time.time() + SHORT_S + 2) * 1000)
    sites.served.write("mine", f'"after {transport}"'.encode())
    await sees(page, f"after {transport}")
    assert visitor.asked >= 2
    assert len(visitor.sockets) == (1 if transport == "ws" else 0)
    assert not any(socket.count("ey") for socket in visitor.sockets), "a token is in an address"


async def test_what_is_not_granted_ends_the_watch(sites: Elsewhere, context: BrowserContext) -> None:
    page = await Visitor(sites, short=False).begin(context, "items/hers", "ws")
    await sees(page, "forbidden")
    assert await page.evaluate("client.state") == "closed"


async def test_a_ticket_opens_a_web_socket(sites: Elsewhere, context: BrowserContext) -> None:
    visitor = Visitor(sites, short=False)
    page = await visitor.begin(context, "items/mine", "ws", tickets=True)
    await sees(page, "synced")
    assert "?ticket=" in visitor.sockets[0]


async def test_nothing_is_kept_by_the_browser(sites: Elsewhere, context: BrowserContext) -> None:
    page = await Visitor(sites, short=False).begin(context, "items/mine", "ws")
    await sees(page, "synced")
    assert await page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
