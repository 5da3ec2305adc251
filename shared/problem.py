"""The one table of errors, and RFC 9457 problem documents made from it.

Every refusal of either service, over HTTP or in a frame, carries a code of this table; nothing else makes one up.
"""

import random
from collections.abc import Mapping
from math import ceil
from typing import Any, Final, NamedTuple

import orjson

from shared.errors import WatchrouteError

MEDIA_TYPE: Final = "application/problem+json"


class Kind(NamedTuple):
    """What a code means on each road: `status` over HTTP, `close` over WebSocket (0: the connection stays open)."""

    status: int
    close: int
    retry: bool
    title: str


KINDS: Final[Mapping[str, Kind]] = {
    "unauthenticated": Kind(401, 4401, False, "Who are you?"),
    "token_expired": Kind(401, 4401, False, "The token has expired"),
    "forbidden": Kind(403, 4403, False, "Not allowed"),
    "not_found": Kind(404, 4404, False, "There is no such collection or resource"),
    "invalid": Kind(400, 4400, False, "The request can't be understood"),
    "invalid_data": Kind(422, 4400, False, "The data is not what the collection takes"),
    "method_not_allowed": Kind(405, 0, False, "This method doesn't go with this address"),
    "not_acceptable": Kind(406, 0, False, "No representation fits what is accepted"),
    "unsupported_media_type": Kind(415, 0, False, "This kind of body is not understood"),
    "upgrade_required": Kind(426, 0, False, "This address speaks WebSocket, version 13"),
    "expired": Kind(410, 0, True, "The cursor is older than what is kept"),
    "rate_limited": Kind(429, 4429, True, "Too much at once"),
    "too_many_connections": Kind(429, 4429, True, "Too many connections"),
    "too_many_watches": Kind(429, 4429, True, "Too many watches"),
    "too_large": Kind(413, 1009, False, "Larger than allowed"),
    "head_too_large": Kind(431, 0, False, "The head of the request is larger than allowed"),
    "request_timeout": Kind(408, 0, True, "The request took too long to arrive"),
    "slow": Kind(0, 4008, True, "The reader can't keep up"),
    "going_away": Kind(503, 1012, True, "This server is leaving"),
    "not_ready": Kind(503, 1013, True, "This server is still catching up"),
    "try_again": Kind(503, 1013, True, "Not at this server, or not yet"),
    "unavailable": Kind(503, 1013, True, "Kafka doesn't answer"),
    "internal": Kind(500, 1011, True, "A mistake of ours"),
}
"""`invalid_data` is `invalid` with the status 422: it is shown as `invalid`."""

_RETRY_AFTER_S: Final = {"rate_limited": 1, "too_many_connections": 5, "too_many_watches": 5, "going_away": 1}
_DEFAULT_RETRY_AFTER_S: Final = 2
_SPREAD_S: Final = 3


class Problem(WatchrouteError):
    """A refusal with a code of the table.

    `detail` is for a person and never holds a secret; `members` are extension members of the document
    (`cursor`, `errors`, …); `headers` are sent besides it. `retry_s`: after how long it is worth a try, where known.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        retry_s: float | None = None,
        **members: Any,
    ) -> None:
        self.kind = KINDS[code]
        self.code = "invalid" if code == "invalid_data" else code
        self.detail = detail
        self.members = members
        self.headers = dict(headers or {})
        if self.kind.status in {429, 503}:
            # Those who are refused together needn't come back together.
            least_s = _RETRY_AFTER_S.get(code, _DEFAULT_RETRY_AFTER_S) if retry_s is None else ceil(retry_s)
            after_s = least_s + random.randint(0, _SPREAD_S)  # noqa: S311
            self.headers.setdefault("Retry-After", str(after_s))
        super().__init__(f"{self.code}: {detail}")

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.kind.status

    def document(self) -> dict[str, Any]:
        """The problem as members of an RFC 9457 document."""
        return {
            "type": f"urn:watchroute:problem:{self.code}",
            "title": self.kind.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            **self.members,
        }

    def body(self) -> bytes:
        """The document as JSON text."""
        return orjson.dumps(self.document())

    def response_headers(self) -> dict[str, str]:
        """All headers of the HTTP answer but its length."""
        return {"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store", **self.headers}
