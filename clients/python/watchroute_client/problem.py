"""What a server refuses, and whether trying again makes sense."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

FATAL: Final = frozenset(
    {
        "forbidden",
        "not_found",
        "invalid",
        "too_large",
        "method_not_allowed",
        "not_acceptable",
        "unsupported_media_type",
    }
)
"""Codes that no retry helps against."""
UNAUTHENTICATED: Final = frozenset({"unauthenticated", "token_expired"})
"""Codes that a new token may help against."""
CODE_OF_CLOSE: Final[Mapping[int, str]] = {
    1009: "too_large",
    1011: "internal",
    1012: "going_away",
    1013: "try_again",
    4008: "slow",
    4400: "invalid",
    4401: "token_expired",
    4403: "forbidden",
    4404: "not_found",
    4429: "rate_limited",
}
"""What the close of a WebSocket says where no `problem` frame came before it."""


class WatchError(Exception):
    """A refusal: `code` is of the protocol's table, or `unreachable` where no server answered.

    `detail` is for a person; `status` is that of HTTP, 0 where there was none; `members` are those of the problem
    document (`errors`, `limit`, `outcome`, `cursor`, …); `retry_after_s` is how long to wait, where that is said.
    """

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        status: int = 0,
        retry_after_s: float | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        self.code = code
        self.detail = detail
        self.status = status
        self.retry_after_s = retry_after_s
        self.members = dict(members or {})
        super().__init__(f"{code}: {detail}" if detail else code)

    @property
    def cursor(self) -> str | None:
        """From where to go on, where the refusal says so."""
        found = self.members.get("cursor")
        return found if isinstance(found, str) else None

    @property
    def outcome(self) -> str | None:
        """Of a write: `not_written`, `unknown` (to write it again is safe) or `written`; None where it isn't said."""
        found = self.members.get("outcome")
        return found if isinstance(found, str) else None

    @classmethod
    def of_frame(cls, frame: Mapping[str, Any]) -> "WatchError":
        """What a `problem` frame says."""
        retry_ms = frame.get("retry_in_ms")
        return cls(
            str(frame.get("code")),
            str(frame.get("message", "")),
            retry_after_s=retry_ms / 1000 if isinstance(retry_ms, int | float) else None,
            members=frame,
        )

    @classmethod
    def of_answer(cls, status: int, headers: Mapping[str, str], body: bytes) -> "WatchError":
        """What an HTTP answer says that isn't 200; `code` is empty where it isn't the server's own, but a proxy's."""
        document = _document(headers, body)
        return cls(
            str(document.get("code", "")),
            str(document.get("detail", "")) or f"HTTP {status}",
            status=status,
            retry_after_s=_wait_s(headers.get("Retry-After"), headers.get("Date")),
            members=document,
        )

    @classmethod
    def of_close(cls, code: int | None, reason: str) -> "WatchError":
        """What the close of a WebSocket says; `code` is None where the connection was lost without one."""
        if code is None:
            return cls("unreachable", "the connection was lost")
        members = {"cursor": reason} if code == 4008 and reason else {}  # noqa: PLR2004 -- slow: the reason is a cursor
        return cls(CODE_OF_CLOSE.get(code, "unreachable"), f"closed with {code} {reason}".rstrip(), members=members)


def _document(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    import json  # noqa: PLC0415 -- only refusals need it

    if headers.get("Content-Type", "").partition(";")[0].strip() != "application/problem+json":
        return {}
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _wait_s(after: str | None, said_at: str | None) -> float | None:
    """Seconds, or a date by the clock of who says it. What is past, or is neither, says nothing."""
    if after is None:
        return None
    if after.isascii() and after.isdigit():
        return float(after)
    at = _date(after)
    if at is None:
        return None
    wait_s = (at - (_date(said_at or "") or datetime.now(UTC))).total_seconds()
    return wait_s if wait_s > 0 else None


def _date(text: str) -> datetime | None:
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 -- only some refusals need it

    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
