"""Who somebody is: a bearer token, verified (RFC 7519, RFC 8725)."""

import base64
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import jwt
import orjson

from shared.grants import Action, Grants
from shared.key_source import KeySource
from shared.pattern import Template
from shared.principal import INVALID_TOKEN, Principal
from shared.problem import Problem
from shared.verify_key import VerifyKey

MOST_TOKEN_BYTES: Final = 8192
_REMEMBERED: Final = 10_000
_ALGORITHMS: Final = frozenset({"RS256", "ES256", "EdDSA", "HS256"})
_REQUIRED: Final = ["exp", "sub", "iss", "aud"]


@dataclass(frozen=True)
class Issuer:
    """Who signs tokens (`iss`), for whom (`aud`), and with which keys.

    `shared` is a secret for HS256, for development: its issuer has no public keys.
    """

    name: str
    audience: str
    keys: KeySource | None = None
    shared: VerifyKey | None = None

    async def key(self, kid: str | None, algorithm: str) -> VerifyKey | None:
        """The key that a token names, if this issuer signs with that algorithm."""
        if self.shared is not None:
            return self.shared if algorithm == self.shared.algorithm else None
        return await self.keys.find(kid, algorithm) if self.keys and algorithm != "HS256" else None


class Verifier:
    """Verifies tokens of several issuers; one that was verified is remembered until it expires.

    `own` is what the configuration grants everybody who has a token; `hides` and `narrows`: see `Principal`.
    """

    def __init__(
        self,
        issuers: Sequence[Issuer],
        *,
        leeway_s: float,
        own: Sequence[tuple[Action, Template]] = (),
        hides: bool = False,
        narrows: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._issuers = {issuer.name: issuer for issuer in issuers}
        self._leeway_s = leeway_s
        self._own = own
        self._hides = hides
        self._narrows = narrows
        self._clock = clock
        self._verified: OrderedDict[bytes, Principal] = OrderedDict()

    async def verify(self, token: str) -> Principal:
        """Whom it speaks for; raises Problem `unauthenticated`, `token_expired`, or `not_ready` without any keys."""
        digest = hashlib.sha256(token.encode(errors="replace")).digest()
        known = self._verified.get(digest)
        if known is None:
            known = await self._verify(token)
            self._remember(digest, known)
        if self._clock() > known.expires_at + self._leeway_s:
            raise Problem("token_expired", "the token has expired")
        return known

    async def _verify(self, token: str) -> Principal:
        header, claims = _unverified(token)
        algorithm, kid, name = header.get("alg"), header.get("kid"), claims.get("iss")
        issuer = self._issuers.get(name) if isinstance(name, str) else None
        if issuer is None or not isinstance(algorithm, str) or algorithm not in _ALGORITHMS or "crit" in header:
            raise _unauthenticated("it is of no issuer that we trust, or signed in no way that we take")
        key = await issuer.key(kid if isinstance(kid, str) else None, algorithm)
        if key is None:
            if issuer.keys is not None and not issuer.keys.known:
                raise Problem("not_ready", "the keys of the token's issuer can't be had")
            raise _unauthenticated("it is signed with a key that we don't know")
        return self._principal(self._decoded(token, key, issuer))

    def _decoded(self, token: str, key: VerifyKey, issuer: Issuer) -> Mapping[str, Any]:
        try:
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=[key.algorithm],
                audience=issuer.audience,
                issuer=issuer.name,
                leeway=self._leeway_s,
                options={"require": _REQUIRED},
            )
        except jwt.ExpiredSignatureError:
            raise Problem("token_expired", "the token has expired") from None
        except jwt.InvalidSignatureError:
            raise _unauthenticated("its signature is wrong") from None
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as error:
            # Its message names the claim, and never the token.
            raise _unauthenticated(f"it can't be accepted ({type(error).__name__})") from None
        return claims

    def _principal(self, claims: Mapping[str, Any]) -> Principal:
        sub, jti = claims["sub"], claims.get("jti")
        if not isinstance(sub, str) or not sub:
            raise _unauthenticated("it has no `sub`")
        issued_at = claims.get("iat")
        return Principal(
            sub=sub,
            expires_at=float(claims["exp"]),
            grants=Grants.of_token(claims, self._own),
            issued_at=float(issued_at) if isinstance(issued_at, int | float) else None,
            jti=jti if isinstance(jti, str) else None,
            hides=self._hides,
            narrows=self._narrows,
        )

    def _remember(self, digest: bytes, principal: Principal) -> None:
        if len(self._verified) >= _REMEMBERED:
            self._verified.popitem(last=False)
        self._verified[digest] = principal


def _unverified(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Header and claims as they are written: to find the key, and for nothing else."""
    if len(token) > MOST_TOKEN_BYTES:
        raise _unauthenticated(f"it has more than {MOST_TOKEN_BYTES} bytes")
    try:
        # Not by the library, which takes half as long for this as for verifying: bad tokens come in floods.
        written, payload, _ = token.split(".")
        header, claims = _json(written), _json(payload)
    except ValueError:
        raise _unauthenticated("it is no JWT") from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise _unauthenticated("it is no JWT")
    return header, claims


def _json(part: str) -> Any:
    return orjson.loads(base64.urlsafe_b64decode(part.encode("ascii") + b"=" * (-len(part) % 4)))


def _unauthenticated(why: str) -> Problem:
    return Problem("unauthenticated", f"the token: {why}", headers=INVALID_TOKEN)
