"""`/docs`: a page that shows `/v1/openapi.json`, and opens a watch to try it."""

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.pushserver.transports.reception import Reception
from shared.page import Page, pages_of
from shared.problem import Problem

ROOT: Final = b"/docs"
_READS: Final = ("GET", "HEAD")


def is_page(raw_path: bytes) -> bool:
    """Whether it is the address of the page or a file of it."""
    return raw_path == ROOT or raw_path.startswith(ROOT + b"/")


async def show(_: Reception, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the page or one of its files; raises Problem. It holds nothing that anybody must not see."""
    page = _pages().get(scope["raw_path"])
    if page is None:
        raise Problem("not_found", "the page is at /docs")
    if scope["method"] not in _READS:
        raise Problem("method_not_allowed", "pages are for GET and HEAD", headers={"Allow": "GET, HEAD"})
    response = await page.respond(Request(scope, receive))
    if scope["method"] == "HEAD":
        response = Response(status_code=response.status_code, headers=dict(response.headers))
    await response(scope, receive, send)


@lru_cache(maxsize=1)
def _pages() -> Mapping[bytes, Page]:
    found = {page.name: page for page in pages_of(files("services.pushserver") / "docs_page")}
    return {ROOT: found.pop("index.html"), **{ROOT + b"/" + name.encode(): page for name, page in found.items()}}
