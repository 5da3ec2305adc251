"""Tickets: what a page puts into an address, as `EventSource` and `WebSocket` can't show a token.

A ticket is good for some watches, for half a minute, for the page that asked for it, and once on each server. It is
its own record, signed with a secret that all push servers share: nobody has to be asked about it.
"""

import base64
import hmac
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Any, Final

import orjson

from shared.grants import Grants
from shared.pattern import Pattern
from shared.principal import Principal
from shared.problem import Problem
from shared.resource import Watch

LIFE_S: Final = 30
_MOST_BYTES: Final = 65_536
_MOST_REMEMBERED: Final = 100_000
_DIGEST: Final = "sha256"
_MARK: Final = b"watchroute ticket 1\n"
_CROSS: Final = frozenset({"cross-site", "same-site"})


class Tickets:
    """Issues and takes them. `clock` gives seconds since 1970, on all servers about the same."""

    def __init__(self, secret: bytes, clock: Callable[[], float] = time.time) -> None:
        self._secret = secret
        self._clock = clock
        self._taken: dict[str, float] = {}

    def issue(self, principal: Principal, watches: Sequence[Watch], origin: str | None) -> str:
        """A ticket for these watches; raises Problem when one of them isn't granted."""
        granted = [part for watch in watches for part in principal.watched(watch).parts]
        content = {
            "id": secrets.token_urlsafe(12),
            "until": min(self._clock() + LIFE_S, principal.expires_at),
            "watches": [part.label for part in granted],
            "origin": origin,
            "sub": principal.sub,
            "exp": None if principal.expires_at == inf else principal.expires_at,
            "iat": principal.issued_at,
            "jti": principal.jti,
            "hides": principal.hides,
            "narrows": principal.narrows,
        }
        written = orjson.dumps(content)
        return _text(self._sign(written) + written)

    def take(self, ticket: str, request: Mapping[str, str]) -> Principal:
        """Whom it speaks for, and nothing but its watches granted; raises Problem `unauthenticated`, or `rate_limited`.

        `request` are the headers of who shows it.
        """
        content = self._read(ticket)
        now = self._clock()
        if content["until"] < now:
            raise _refused("it is older than half a minute")
        _check_page(content["origin"], request)
        self._remember(content["id"], content["until"], now)
        patterns = [("watch", _pattern(Watch.parse(label))) for label in content["watches"]]
        return Principal(
            sub=content["sub"],
            expires_at=inf if content["exp"] is None else content["exp"],
            grants=Grants(patterns),  # type: ignore[arg-type]  # "watch" is an action
            issued_at=content["iat"],
            jti=content["jti"],
            hides=content["hides"],
            narrows=content["narrows"],
        )

    def _read(self, ticket: str) -> dict[str, Any]:
        try:
            signed = base64.urlsafe_b64decode(ticket[:_MOST_BYTES] + "=" * (-len(ticket) % 4))
        except ValueError:
            raise _refused("it can't be read") from None
        size = len(self._sign(b""))
        if not hmac.compare_digest(signed[:size], self._sign(signed[size:])):
            raise _refused("it is none of ours")
        content: dict[str, Any] = orjson.loads(signed[size:])
        return content

    def _remember(self, name: str, until_s: float, now_s: float) -> None:
        if name in self._taken:
            raise _refused("it was used before")
        if len(self._taken) >= _MOST_REMEMBERED:
            self._taken = {each: until for each, until in self._taken.items() if until >= now_s}
            if len(self._taken) >= _MOST_REMEMBERED:
                raise Problem("rate_limited", "too many tickets at once")
        self._taken[name] = until_s

    def _sign(self, content: bytes) -> bytes:
        return hmac.digest(self._secret, _MARK + content, _DIGEST)


def _check_page(origin: str | None, request: Mapping[str, str]) -> None:
    """A browser names the page with everything that could be of another origin."""
    asks = request.get("origin")
    if asks is None and request.get("sec-fetch-site") in _CROSS:
        asks = "elsewhere"
    if asks is not None and asks != origin:
        raise _refused("it was given to another page")


def _pattern(watch: Watch) -> Pattern:
    if watch.id is not None:
        return Pattern(watch.collection, watch.id, open=False)
    return Pattern(watch.collection, watch.prefix or "", open=True)


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _refused(why: str) -> Problem:
    return Problem("unauthenticated", f"the ticket: {why}", headers={"WWW-Authenticate": "Bearer"})
