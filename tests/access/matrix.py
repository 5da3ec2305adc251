"""The matrix: every route of every transport, every carrier, every credential, and what each is answered."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from tests.access.asking import Route
from tests.access.identity import COOKIE, PAGES

COLLECTION: Final = "items"
_SSE: Final = "text/event-stream"
_BATCH: Final = b'[{"id":"mine","data":1},{"id":"hers","data":1}]'
_NDJSON: Final = "application/x-ndjson"

READS: Final[Mapping[str, tuple[Route, bool]]] = {
    "get": (Route("GET", "/v1/items/mine"), False),
    "head": (Route("HEAD", "/v1/items/mine"), False),
    "listing": (Route("GET", "/v1/items"), True),
    "listing of a prefix": (Route("GET", "/v1/items?prefix=mi"), True),
    "lines": (Route("GET", "/v1/items", _NDJSON), True),
    "stream": (Route("GET", "/v1/items/mine", _SSE, streams=True), False),
    "stream of all": (Route("GET", "/v1/items/stream", streams=True), True),
    "stream of a prefix": (Route("GET", "/v1/items/stream?prefix=mi", streams=True), True),
    "stream of several": (
        Route("GET", "/v1/watch/stream?resource=items/mine&resource=items/hers", streams=True),
        True,
    ),
    "stream of a log": (Route("GET", "/v1/items/mine?mode=log", _SSE, streams=True), False),
    "poll": (Route("GET", "/v1/items/mine/poll?wait=0"), False),
    "poll of all": (Route("GET", "/v1/items/poll?wait=0"), True),
    "poll of several": (Route("GET", "/v1/watch/poll?wait=0&resource=items/mine&resource=items/hers"), True),
    "socket": (Route("GET", "/v1/items/mine", upgrade=True), False),
    "socket of all": (Route("GET", "/v1/items/ws", upgrade=True), True),
    "socket of several": (Route("GET", "/v1/watch/ws?resource=items/mine&resource=items/hers", upgrade=True), True),
}
"""And whether it can show more than `items/mine`."""
WRITES: Final[Mapping[str, tuple[Route, bool]]] = {
    "put": (Route("PUT", "/v1/items/mine", body=b"1"), False),
    "delete": (Route("DELETE", "/v1/items/mine"), False),
    "post": (Route("POST", "/v1/items", body=_BATCH), True),
    "post atomic": (Route("POST", "/v1/items?atomic=true", body=_BATCH), True),
}
GRANTS: Final[Mapping[str, tuple[str, bool, bool]]] = {
    "right": ("{action}:items/*", True, True),
    "everything": ("{action}:*", True, True),
    "narrower": ("{action}:items/mine", True, False),
    "of a prefix": ("{action}:items/m*", True, False),
    "of another": ("{action}:items/hers", False, False),
    "of another collection": ("{action}:others/*", False, False),
    "of the other action": ("{other}:items/*", False, False),
    "empty": ("", False, False),
}
"""The scope, and whether it covers `items/mine`, and all."""
_PREFIXED: Final = frozenset({"listing of a prefix", "stream of a prefix"})
CARRIERS: Final = ("header", "cookie", "query", "protocol")
WRONG: Final = (
    "expired",
    "not yet",
    "wrong audience",
    "wrong issuer",
    "wrong key",
    "without sub",
    "without exp",
    "alg none",
    "key confusion",
    "changed",
    "garbage",
)


class Carried(NamedTuple):
    """Headers and a query that show a token."""

    headers: Mapping[str, str]
    query: str = ""


def carry(carrier: str, token: str) -> Carried:
    """Show a token in one of the places for it."""
    match carrier:
        case "header":
            return Carried({"Authorization": f"Bearer {token}"})
        case "cookie":
            return Carried({"Cookie": f"other=1; {COOKIE}={token}", "Origin": PAGES})
        case "query":
            return Carried({}, f"token={token}")
        case _:
            return Carried({"Sec-WebSocket-Protocol": f"bearer.{token}"})


def carriers_of(route: Route, *, writes: bool) -> Iterator[str]:
    """Where this route takes a token from."""
    yield from ("header", "cookie")
    if not writes:
        yield "query"
    if route.upgrade:
        yield "protocol"


def granted(name: str, grant: str, *, wide: bool) -> bool:
    """Whether a grant covers what a route can show."""
    _, mine, everything = GRANTS[grant]
    return everything or (mine and not wide) or (grant == "of a prefix" and name in _PREFIXED)
