"""The demo page: static files of this package, served at `/` and below `/demo/`."""

from typing import Final

from starlette.routing import Route

from shared.page import pages_of

_INDEX: Final = "index.html"


def page_routes() -> list[Route]:
    """A route for each file of the page, for GET and HEAD; the files are read once, here."""
    return [
        Route("/" if page.name == _INDEX else f"/demo/{page.name}", page.respond)
        for page in pages_of("cli", "demo_page")
    ]
