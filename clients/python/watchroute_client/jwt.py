"""When a token ends, as far as it says so itself."""

import base64
import binascii
import json


def ends_at(token: str | None) -> float | None:
    """The `exp` of a JWT, in seconds since 1970; None for a token that is none, or has none. Nothing is verified."""
    parts = (token or "").split(".")
    if len(parts) != 3:  # noqa: PLR2004 -- head, claims, signature
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return None
    found = claims.get("exp") if isinstance(claims, dict) else None
    return float(found) if isinstance(found, int | float) else None
