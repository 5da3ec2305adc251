"""`GET /v1/openapi.json`: the API as this server has it, for who asks."""

import asyncio
from functools import lru_cache
from hashlib import sha256
from typing import Final

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.pushserver.transports.reception import Reception
from services.pushserver.transports.request import JSON, headers_of
from shared.contract.served import Granted, served_document
from shared.credentials import Credentials
from shared.problem import Problem

PATH: Final = b"/v1/openapi.json"
_KEPT: Final = 8
"""Documents: those who ask have one of a few sets of grants."""


async def describe(reception: Reception, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the document; raises Problem.

    It names what is granted to who asks, in part or in whole, and nothing else: without a token, what is public.
    """
    if scope["query_string"]:
        raise Problem("invalid", "there are no parameters here")
    headers = headers_of(scope)
    principal, _ = await reception.gate.admit(Credentials(scope["method"], scope["scheme"], headers))
    # A hundred collections take half a second, which the watchers shouldn't wait for.
    body, etag = await asyncio.to_thread(_encoded, Granted.to(principal, reception.hub.catalog))
    told = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}
    if etag in headers.get("if-none-match", ""):
        response = Response(status_code=304, headers=told)
    else:
        response = Response(body, headers={**told, "Content-Type": JSON})
    await response(scope, receive, send)


@lru_cache(maxsize=_KEPT)
def _encoded(granted: tuple[Granted, ...]) -> tuple[bytes, str]:
    body = orjson.dumps(served_document(granted))
    return body, f'"{sha256(body).hexdigest()[:32]}"'
