"""The pages that use the JavaScript client, and the client itself, as any web server serves files."""

import mimetypes
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from infra.cluster.process import ROOT
from shared.serving import Listener
from tests.support.server import HOST

PACKAGE: Final = ROOT / "clients/js"
_SCRIPT: Final = Path(__file__).with_name("client_page.js")
_PAGE: Final = (
    '<!doctype html><meta charset="utf-8"><title>An application</title><link rel="icon" href="data:,"><ul></ul>'
    '<script type="module" src="/page.js"></script>'
)
_GRACE_S: Final = 0.2


def site() -> Starlette:
    """`/` is a page that waits for `begin` or `show`; below `/src` and `/examples` is what the package has."""

    async def page(_: Request) -> Response:
        return HTMLResponse(_PAGE)

    async def script(_: Request) -> Response:
        return Response(_SCRIPT.read_bytes(), media_type="text/javascript")

    folders = [Mount(f"/{name}", StaticFiles(directory=PACKAGE / name, html=True)) for name in ("src", "examples")]
    return Starlette(routes=[Route("/", page), Route("/page.js", script), *folders])


@asynccontextmanager
async def served() -> AsyncIterator[int]:
    """The port where it is."""
    listener = Listener(site(), host=HOST, port=0, ws="none")
    await listener.start()
    try:
        yield listener.port
    finally:
        await listener.stop(_GRACE_S)


def of_the_package(path: str) -> tuple[bytes, str]:
    """A file of the package, and what it is."""
    file = PACKAGE / (path[1:] + ("index.html" if path.endswith("/") else ""))
    return file.read_bytes(), mimetypes.guess_type(file.name)[0] or "text/plain"
