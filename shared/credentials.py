"""Where a token is in a request: at most one, in one of the places that are allowed (RFC 6750, section 2)."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from starlette.requests import cookie_parser

from shared.auth_settings import AuthSettings
from shared.origin import Origins, same_origin
from shared.problem import Problem

PROTOCOL_PREFIX: Final = "bearer."
"""Of the WebSocket subprotocol that is a token; it is never the one that is chosen."""
_SAFE: Final = frozenset({"GET", "HEAD"})
_OWN_SITES: Final = frozenset({"same-origin", "none"})
_BEARER: Final = "bearer "


class Credentials(NamedTuple):
    """What a request shows. `method` is empty for a WebSocket; `query` is what `?token=` said, where it is taken."""

    method: str
    scheme: str
    headers: Mapping[str, str]
    query: str | None = None
    protocols: Sequence[str] = ()

    def token(self, settings: AuthSettings, origins: Origins) -> str | None:
        """The token, None where there is none; raises Problem `invalid`, `unauthenticated` or `forbidden`.

        A cookie counts only where nothing else is shown: browsers send it with whatever a page of anybody asks, so
        the page has to be of an origin that is allowed.
        """
        shown = [each for each in (self._header(), self.query, self._protocol()) if each is not None]
        if len(shown) > 1:
            raise Problem("invalid", "a token is shown once, in one place")
        if shown:
            return shown[0]
        cookie = cookie_parser(self.headers.get("cookie", "")).get(settings.cookie) if settings.cookie else None
        if cookie is not None:
            self._check_page(origins)
        return cookie

    def check_origin(self, origins: Origins) -> None:
        """Raise Problem `forbidden` when a page of an origin that isn't allowed asks; who is no page has no Origin."""
        origin = self.headers.get("origin")
        if origin is None:
            return
        scheme = self.headers.get("x-forwarded-proto", self.scheme).replace("ws", "http")
        if not same_origin(origin, scheme, self.headers.get("host", "")) and not origins.allow(origin):
            raise Problem("forbidden", f"pages of {origin[:200]!r} may not ask here: see `origins`")

    def _header(self) -> str | None:
        written = self.headers.get("authorization")
        if written is None:
            return None
        if not written.lower().startswith(_BEARER):
            raise Problem("unauthenticated", "Authorization is Bearer here", headers={"WWW-Authenticate": "Bearer"})
        return written[len(_BEARER) :].strip()

    def _protocol(self) -> str | None:
        found = [each for each in self.protocols if each.startswith(PROTOCOL_PREFIX)]
        if len(found) > 1:
            raise Problem("invalid", "a token is shown once, in one place")
        return found[0].removeprefix(PROTOCOL_PREFIX) if found else None

    def _check_page(self, origins: Origins) -> None:
        self.check_origin(origins)
        if "origin" in self.headers:
            return
        site = self.headers.get("sec-fetch-site")
        # Without an Origin a safe request can't be read by a page of elsewhere; anything else has to say where from.
        safe = self.method in _SAFE and site != "cross-site"
        if not safe and site not in _OWN_SITES:
            raise Problem("forbidden", "a cookie is good only for requests that say of which page they are: Origin")
