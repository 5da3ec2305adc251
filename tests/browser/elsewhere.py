"""Pages of other origins than the servers that they ask: two small sites, and a Chromium that looks at them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from playwright.async_api import BrowserContext, Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from cli.front import Front
from services.producer.app import producer_app
from services.producer.settings import ProducerSettings
from services.pushserver.app import PushServer
from shared.answers import problem_app
from shared.catalog import Catalog, CollectionSettings
from shared.serving import Listener
from tests.access.conftest import TABLES, Kept, Served, serving
from tests.access.identity import COOKIE, Identity
from tests.support.server import HOST

_SCRIPT: Final = Path(__file__).with_name("asking.js")
_PAGE: Final = (
    '<!doctype html><title>A page of elsewhere</title><link rel="icon" href="data:,"><script src="/asking.js"></script>'
)
_GRACE_S: Final = 0.2


def site() -> Starlette:
    """A page with our script, and `/login?token=…`, which is what the backend of a page does: it sets the cookie.

    `__Host-` asks for a secure origin, which `http://localhost` is to a browser.
    """

    async def page(_: Request) -> Response:
        return HTMLResponse(_PAGE)

    async def script(_: Request) -> Response:
        return Response(_SCRIPT.read_bytes(), media_type="text/javascript")

    async def login(request: Request) -> Response:
        answer = HTMLResponse(_PAGE)
        answer.set_cookie(COOKIE, request.query_params["token"], secure=True, httponly=True, samesite="none")
        return answer

    return Starlette(routes=[Route("/", page), Route("/asking.js", script), Route("/login", login)])


@dataclass(frozen=True)
class Elsewhere:
    """Both services at one address of `localhost`, and the origins of pages by whether they are in the list.

    Cookies know no ports: one that the page at `friend` has set goes along with what the page at `stranger` asks.
    """

    identity: Identity
    served: Served
    publisher: Kept
    friend: str
    cousin: str
    stranger: str
    lookalike: str

    @property
    def api(self) -> str:
        """Where they are."""
        return f"http://localhost:{self.served.port}/v1"

    def token(self) -> str:
        """One that may do all that the pages try."""
        return self.identity.token("watch:items/mine publish:items/mine")

    def refusals(self) -> int:
        """How often the push server has refused a page for its origin."""
        return self.served.server.reception.counters.refused["forbidden"]


@asynccontextmanager
async def elsewhere(folder: Path) -> AsyncIterator[Elsewhere]:
    """Two sites, and servers that let in `friend` by name and `cousin` as a subdomain."""
    async with AsyncExitStack() as stack:
        ours, theirs = [await stack.enter_async_context(_listening()) for _ in range(2)]
        friend = f"http://localhost:{ours}"
        identity = Identity(folder, origins=(friend, f"http://*.pages.localhost:{ours}"))
        settings = ProducerSettings()
        kept = Kept(Catalog({name: CollectionSettings(**table) for name, table in TABLES.items()}), settings)

        def front(server: PushServer) -> ASGIApp:
            writer = producer_app(kept, settings, server.reception.gate)
            return Front(reader=server.app, writer=writer, rest=problem_app([]))

        yield Elsewhere(
            identity,
            await stack.enter_async_context(serving(identity.auth, front)),
            kept,
            friend=friend,
            cousin=f"http://app.pages.localhost:{ours}",
            stranger=f"http://localhost:{theirs}",
            lookalike=f"http://evilpages.localhost:{ours}",
        )


@asynccontextmanager
async def _listening() -> AsyncIterator[int]:
    listener = Listener(site(), host=HOST, port=0, ws="none")
    await listener.start()
    try:
        yield listener.port
    finally:
        await listener.stop(_GRACE_S)


async def at(context: BrowserContext, origin: str) -> Page:
    """Its page, open."""
    page = await context.new_page()
    await page.goto(f"{origin}/")
    return page


async def asked(page: Page, how: str, *arguments: Any) -> dict[str, Any]:
    """What the page's script saw."""
    found: dict[str, Any] = await page.evaluate("([how, ...rest]) => ask[how](...rest)", [how, *arguments])
    return found
