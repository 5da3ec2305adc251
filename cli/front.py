"""One front door in one process: what a balancer does in production, as an ASGI app."""

from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from shared.answers import problem_response
from shared.problem import Problem
from shared.target import parse_target

_READS: Final = ("GET", "HEAD")
_READERS: Final = (b"/v1/tickets", b"/v1/openapi.json")
_PREFLIGHT: Final = b"access-control-request-method"
_API: Final = b"/v1/"
_DOCS: Final = b"/docs"


class Front:
    """Reads of `/v1/`, and `/docs`, go to `reader`, writes to `writer`, all other paths to `rest`.

    A method that the address doesn't know is answered with 405 and all that it knows, whichever app serves those.
    """

    def __init__(self, *, reader: ASGIApp, writer: ASGIApp, rest: ASGIApp) -> None:
        self._reader = reader
        self._writer = writer
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            app = self._app_for(scope)
        except Problem as problem:
            app = problem_response(problem, head=scope["method"] == "HEAD")
        await app(scope, receive, send)

    def _app_for(self, scope: Scope) -> ASGIApp:
        raw_path: bytes = scope["raw_path"]
        if raw_path == _DOCS or raw_path.startswith(_DOCS + b"/"):
            return self._reader
        if not raw_path.startswith(_API):
            return self._rest
        if scope["type"] == "websocket" or raw_path in _READERS or scope["method"] in _READS or _asks_first(scope):
            return self._reader
        allowed = allowed_methods(raw_path)
        if scope["method"] not in allowed:
            known = ", ".join(allowed)
            raise Problem("method_not_allowed", f"what goes here: {known}", headers={"Allow": known})
        return self._writer


def _asks_first(scope: Scope) -> bool:
    """Whether a browser asks what a page may ask: both services would say the same."""
    return scope["method"] == "OPTIONS" and any(name == _PREFLIGHT for name, _ in scope["headers"])


def allowed_methods(raw_path: bytes) -> tuple[str, ...]:
    """What may be done at a path below `/v1/`; raises Problem when it can't be an address."""
    watch, verb = parse_target(raw_path)
    if watch is None or verb:
        return _READS
    return (*_READS, "POST") if watch.id is None else (*_READS, "PUT", "DELETE")
