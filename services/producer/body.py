"""The body of a request: what kind it is, and its bytes within bounds."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import Request

from shared.problem import Problem

JSON: Final = "application/json"
MSGPACK: Final = "application/msgpack"
NDJSON: Final = "application/x-ndjson"


def media_type(headers: Headers, understood: tuple[str, ...]) -> str:
    """The kind of the body, one of `understood`; raises Problem `unsupported_media_type`."""
    given = headers.getlist("content-type")
    kind, _, parameters = (given[0] if len(given) == 1 else "").partition(";")
    kind = kind.strip().lower()
    encoding = headers.get("content-encoding", "identity").lower()
    if kind not in understood or not _is_utf8(parameters) or encoding != "identity":
        raise Problem(
            "unsupported_media_type",
            f"a body here is {' or '.join(understood)}, in UTF-8 and not compressed; say so in Content-Type",
            headers={"Accept": ", ".join(understood)},
        )
    return kind


def _is_utf8(parameters: str) -> bool:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip(' "').lower() not in {"utf-8", "utf8", "us-ascii"}:
            return False
    return True


class Bodies:
    """Reads bodies, and bounds how much of all of them together is in memory."""

    def __init__(self, max_bytes: int, timeout_s: float) -> None:
        self._room = max_bytes
        self._timeout_s = timeout_s

    @asynccontextmanager
    async def read(self, request: Request, limit: int, spend: Callable[[int], None]) -> AsyncIterator[bytes]:
        """The body, which counts as in memory until the block ends; raises Problem.

        `spend` is called with its size, before it is read where that is known; it may raise Problem.

        A body of more than `limit` bytes is not read to its end, with or without a Content-Length.
        """
        declared = int(request.headers.get("content-length", "0"))
        if declared > limit:
            raise _too_large(limit)
        spend(declared)
        body = bytearray()
        try:
            await self._fill(body, request, limit)
            if len(body) > declared:
                spend(len(body) - declared)
            yield bytes(body)
        finally:
            self._room += len(body)

    async def _fill(self, body: bytearray, request: Request, limit: int) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                async for chunk in request.stream():
                    body += chunk
                    self._room -= len(chunk)
                    self._check(len(body), limit)
        except TimeoutError:
            raise Problem("invalid", f"the body did not arrive within {self._timeout_s:g} s") from None

    def _check(self, size: int, limit: int) -> None:
        if size > limit:
            raise _too_large(limit)
        if self._room < 0:
            raise Problem("rate_limited", "too many large requests at once")


def _too_large(limit: int) -> Problem:
    return Problem("too_large", f"a body here has at most {limit} bytes")
