"""Every reason for which a connection ends, as one table.

4000–4099: come back now or later with the cursor; 44xx mirrors an HTTP status. Each but `gone` and `client_closed`
is told to the client as a `problem` frame with the code of `shared.problem.KINDS`, before the close.
"""

from typing import Final, NamedTuple

from shared.problem import KINDS

WS_REASON_BYTES: Final = 123


class CloseReason(NamedTuple):
    """`name` counts it in metrics; `code` closes a WebSocket; `problem` is the code of the frame that says so."""

    name: str
    code: int
    problem: str | None


CLIENT_CLOSED: Final = CloseReason("client_closed", 1000, None)
GONE: Final = CloseReason("gone", 1006, None)
GOING_AWAY: Final = CloseReason("going_away", KINDS["going_away"].close, None)
LEVELLED: Final = CloseReason("levelled", KINDS["going_away"].close, None)
"""This server had more than its share: to the client a `goaway` like any other."""
DOOR_LEFT: Final = CloseReason("door_left", KINDS["going_away"].close, None)
"""The front door that it came through is leaving: the same."""
SLOW: Final = CloseReason("slow", KINDS["slow"].close, "slow")
INVALID: Final = CloseReason("invalid", KINDS["invalid"].close, "invalid")
TOO_LARGE: Final = CloseReason("too_large", KINDS["too_large"].close, "too_large")
EXPIRED: Final = CloseReason("expired", 1000, "expired")
PROTOCOL: Final = CloseReason("protocol_error", 1002, None)
NOT_TEXT: Final = CloseReason("not_utf8", 1007, None)
DEAD_PEER: Final = CloseReason("dead_peer", 1011, None)
"""It acknowledged nothing, or answered no ping, for `dead_peer_s`."""
TOKEN_EXPIRED: Final = CloseReason("token_expired", KINDS["token_expired"].close, "token_expired")
REVOKED: Final = CloseReason("revoked", KINDS["forbidden"].close, "forbidden")
RATE_LIMITED: Final = CloseReason("rate_limited", KINDS["rate_limited"].close, "rate_limited")
INTERNAL: Final = CloseReason("internal", KINDS["internal"].close, "internal")

REASONS: Final = (
    CLIENT_CLOSED,
    GONE,
    GOING_AWAY,
    LEVELLED,
    DOOR_LEFT,
    SLOW,
    INVALID,
    TOO_LARGE,
    EXPIRED,
    PROTOCOL,
    NOT_TEXT,
    DEAD_PEER,
    TOKEN_EXPIRED,
    REVOKED,
    RATE_LIMITED,
    INTERNAL,
)
