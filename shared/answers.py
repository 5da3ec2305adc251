"""Problems as HTTP answers: what any app of ours sends when it refuses, or when it failed."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.problem import Problem
from shared.telemetry import logger

_CODES: Final[Mapping[int, str]] = {
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    408: "request_timeout",
    413: "too_large",
    415: "unsupported_media_type",
    426: "upgrade_required",
    429: "rate_limited",
    431: "head_too_large",
    503: "unavailable",
}
_SERVER_ERROR: Final = 500
_log = logger("http")


def problem_response(problem: Problem, *, head: bool = False) -> Response:
    """The answer that says `problem`; to a HEAD request the same without its body, the length kept."""
    body = problem.body()
    headers = problem.response_headers() | {"Content-Length": str(len(body))}
    return Response(b"" if head else body, problem.status, headers)


def problem_of(error: HTTPException) -> Problem:
    """What Starlette's own refusal is in our table; its headers (`Allow`) are kept."""
    otherwise = "internal" if error.status_code >= _SERVER_ERROR else "invalid"
    return Problem(_CODES.get(error.status_code, otherwise), error.detail, headers=error.headers)


def problem_app(routes: Sequence[BaseRoute], middleware: Iterable[Middleware] = ()) -> Starlette:
    """A Starlette app whose every refusal and failure is a problem document.

    A Problem raised by an endpoint, before anything was sent, becomes its answer, over a WebSocket handshake too.
    """
    return Starlette(
        routes=routes,
        middleware=[Middleware(UnexpectedErrors), *middleware],
        exception_handlers={Problem: _answer_problem, HTTPException: _answer_http_exception},
    )


class UnexpectedErrors:
    """ASGI middleware: any other exception becomes the problem `internal` and one line in the log.

    Starlette's own handler for `Exception` raises it again, and the server would log it a second time. An exception
    after the first byte is passed on: the server then cuts the connection, which is all that can still be said.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app."""
        started = False

        async def watched_send(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, watched_send)
        except ClientDisconnect:
            # Nobody is left to answer.
            return
        except Exception:
            if started:
                raise
            _log.exception("request failed", path=scope.get("path"), method=scope.get("method"))
            answer = problem_response(Problem("internal", "the server's log has the details"), head=_is_head(scope))
            await answer(scope, receive, send)


async def _answer_problem(request: HTTPConnection, error: Exception) -> Response:
    if not isinstance(error, Problem):
        raise TypeError(type(error))
    return problem_response(error, head=_is_head(request.scope))


async def _answer_http_exception(request: HTTPConnection, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise TypeError(type(error))
    return problem_response(problem_of(error), head=_is_head(request.scope))


def _is_head(scope: Mapping[str, Any]) -> bool:
    return scope.get("method") == "HEAD"
