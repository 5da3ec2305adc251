"""Pages of the demo: static files, with what they share and the JavaScript client beside them."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from starlette.routing import Route

from shared.page import pages_of

_INDEX: Final = "index.html"


def page_routes(page: Traversable) -> list[Route]:
    """A route for each file, for GET and HEAD; the files are read once, here.

    `index.html` of the folder is `/`, its other files are below `/page/`; what all pages share is below `/shared/`, and
    the client below `/clients/js/`.
    """
    here = files("cli")
    folders = {"/page/": page, "/shared/": here / "shared_page", "/clients/js/": here / "javascript"}
    return [
        Route("/" if each.name == _INDEX else below + each.name, each.respond)
        for below, folder in folders.items()
        for each in pages_of(folder)
    ]
