"""`POST /v1/tickets`: a ticket for the watches that the body names."""

import asyncio
from functools import lru_cache
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.pushserver.tickets import LIFE_S
from services.pushserver.transports.reception import Reception
from services.pushserver.transports.request import JSON
from shared.contract.definitions import schema_of
from shared.credentials import Credentials
from shared.doorstep import admitted
from shared.problem import Problem
from shared.resource import Watch
from shared.schema import Schema
from shared.value import MalformedValue, check_json

PATH: Final = b"/v1/tickets"
_MOST_BYTES: Final = 65_536
_WITHIN_S: Final = 10.0


async def issue(reception: Reception, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with a ticket; raises Problem."""
    if scope["method"] != "POST":
        raise Problem("method_not_allowed", "a ticket is asked for with POST", headers={"Allow": "POST"})
    request = Request(scope, receive)
    if scope["query_string"]:
        raise Problem("invalid", "there are no parameters here")
    reception.check_open()
    principal, _ = await reception.gate.admit(Credentials("POST", scope["scheme"], request.headers))
    principal.require_any("watch")
    admitted(scope)
    with reception.body(principal):
        watches = _watches(await _body(request))
    ticket = reception.tickets.issue(principal, watches, request.headers.get("origin"))
    answer = {"ticket": ticket, "expires_in_ms": LIFE_S * 1000}
    await Response(orjson.dumps(answer), headers={"Content-Type": JSON, "Cache-Control": "no-store"})(
        scope, receive, send
    )


async def _body(request: Request) -> bytes:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
        raise Problem("unsupported_media_type", f"a body here is {JSON}", headers={"Accept": JSON})
    body = bytearray()
    try:
        async with asyncio.timeout(_WITHIN_S):
            async for piece in request.stream():
                body += piece
                if len(body) > _MOST_BYTES:
                    raise Problem("too_large", f"a body here has at most {_MOST_BYTES} bytes")
    except TimeoutError:
        raise Problem("invalid", f"the body did not arrive within {_WITHIN_S:g} s") from None
    return bytes(body)


def _watches(body: bytes) -> list[Watch]:
    try:
        content: Any = check_json(body)
    except MalformedValue as malformed:
        raise Problem("invalid", f"the body is JSON: {malformed.reason}") from None
    if mistakes := _schema().mistakes(content):
        raise Problem("invalid", f'the body is {{"watches": ["stocks/AAPL", "stocks?prefix=A"]}}: {mistakes[0]}')
    return [Watch.parse(label) for label in content["watches"]]


@lru_cache(maxsize=1)
def _schema() -> Schema:
    return Schema(schema_of("TicketRequest"))
