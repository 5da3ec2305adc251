"""What a browser wants to hear before it lets a page of another origin read our answers (WHATWG Fetch, 3.2: CORS)."""

import re
from collections.abc import Mapping
from typing import Final

from starlette.responses import Response
from starlette.types import Message, Scope, Send

from shared.origin import Origins
from shared.problem import Problem

_EXPOSED: Final = "Deprecation, ETag, Link, Preference-Applied, Retry-After, Sunset, Watch-Cursor"
_METHODS: Final = "GET, HEAD, PUT, POST, DELETE"
_MAX_AGE_S: Final = 7200
_WANTED: Final = re.compile(r"[A-Za-z0-9-]+(?:[ \t]*,[ \t]*[A-Za-z0-9-]+)*")
_MOST_WANTED: Final = 1000


class Cors:
    """`credentials`: cookies may come along, which they never may from everybody (`*`)."""

    def __init__(self, origins: Origins, *, credentials: bool) -> None:
        self._origins = origins
        self._credentials = credentials

    def headers(self, request: Mapping[str, str]) -> dict[str, str]:
        """What each answer to a request with these headers (names in small letters) has to say besides."""
        if not self._origins:
            return {}
        origin = request.get("origin")
        if origin is None or not self._origins.allow(origin):
            return {"Vary": "Origin"}
        allowed = {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": _EXPOSED, "Vary": "Origin"}
        return {**allowed, "Access-Control-Allow-Credentials": "true"} if self._credentials else allowed

    def preflight(self, request: Mapping[str, str]) -> Response:
        """The answer to a browser that asks what a page may ask; raises Problem `forbidden` or `invalid`."""
        origin, wanted = request.get("origin", ""), request.get("access-control-request-headers", "")
        if not self._origins.allow(origin):
            raise Problem("forbidden", f"pages of {origin[:200]!r} may not ask here: see `origins`")
        if wanted and (len(wanted) > _MOST_WANTED or not _WANTED.fullmatch(wanted)):
            raise Problem("invalid", "Access-Control-Request-Headers has names of headers")
        headers = {"Access-Control-Allow-Methods": _METHODS, "Access-Control-Max-Age": str(_MAX_AGE_S)}
        if wanted:
            # Which headers there are is no secret, and each is checked when it comes.
            headers["Access-Control-Allow-Headers"] = wanted
        return Response(status_code=204, headers=headers)

    def sending(self, scope: Scope, send: Send) -> Send:
        """`send`, that adds these headers to an answer."""
        if not self._origins or scope["type"] != "http":
            return send
        found = [text.decode("latin-1") for name, text in scope["headers"] if name == b"origin"]
        request = {"origin": ", ".join(found)} if found else {}
        more = [(name.lower().encode(), text.encode("latin-1")) for name, text in self.headers(request).items()]

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *more]}
            await send(message)

        return sent


def is_preflight(method: str, request: Mapping[str, str]) -> bool:
    """Whether a browser asks before it asks."""
    return method == "OPTIONS" and "origin" in request and "access-control-request-method" in request
