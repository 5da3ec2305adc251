"""Keys that tokens are verified with, each bound to the one algorithm that it may be used for (RFC 8725, 3.1)."""

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Self

import jwt
from jwt.algorithms import get_default_algorithms

MOST_KEYS: Final = 100
_SMALLEST_RSA_BITS: Final = 2048


class KeysUnreadable(Exception):
    """It is no JWK Set (RFC 7517), or has no key that we can verify with; the message says why."""


class VerifyKey(NamedTuple):
    """`algorithm` is RS256, ES256, EdDSA or (a shared secret, for development) HS256; `key` is PyJWT's."""

    kid: str | None
    algorithm: str
    key: Any

    @classmethod
    def of_jwk(cls, jwk: Any) -> Self | None:
        """A public key of a set, or None for one that is not meant for signatures, or of a kind that we don't take.

        Symmetric keys have no place in a set that anyone can fetch.
        """
        algorithm = _algorithm_of(jwk) if isinstance(jwk, dict) else None
        if algorithm is None:
            return None
        try:
            key = get_default_algorithms()[algorithm].from_jwk({**jwk, "alg": algorithm})
        except (jwt.exceptions.PyJWTError, ValueError, TypeError, KeyError):
            return None
        if algorithm == "RS256" and getattr(key, "key_size", 0) < _SMALLEST_RSA_BITS:
            return None
        kid = jwk.get("kid")
        return cls(kid if isinstance(kid, str) else None, algorithm, key)


class VerifyKeys:
    """The keys of one issuer, by `kid`."""

    def __init__(self, keys: list[VerifyKey]) -> None:
        self._keys = keys

    @classmethod
    def of_set(cls, document: bytes) -> Self:
        """Read a JWK Set; raises KeysUnreadable. Keys that can't be used are left out."""
        try:
            content = json.loads(document)
        except (ValueError, RecursionError):
            raise KeysUnreadable("it is no JSON") from None
        listed = content.get("keys") if isinstance(content, dict) else None
        if not isinstance(listed, list) or len(listed) > MOST_KEYS:
            raise KeysUnreadable(f"it has no list of keys, or more than {MOST_KEYS}")
        keys = [found for jwk in listed if (found := VerifyKey.of_jwk(jwk))]
        if not keys:
            raise KeysUnreadable("it has no key for RS256, ES256 or EdDSA")
        return cls(keys)

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, kid: str | None, algorithm: str) -> VerifyKey | None:
        """The key that a token names, if it is one for that algorithm.

        A token without a `kid` may have the only key of its algorithm.
        """
        fitting = [key for key in self._keys if key.algorithm == algorithm]
        if kid is None:
            return fitting[0] if len(fitting) == 1 else None
        return next((key for key in fitting if key.kid == kid), None)


def _algorithm_of(jwk: Mapping[str, Any]) -> str | None:
    """What a JWK is for: by its kind, and not against its own `use`, `key_ops` and `alg`."""
    curves = {("RSA", None): "RS256", ("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "EdDSA"}
    kind = jwk.get("kty")
    if not isinstance(kind, str) or not isinstance(jwk.get("crv", ""), str):
        return None
    algorithm = curves.get((kind, None if kind == "RSA" else jwk.get("crv")))
    operations = jwk.get("key_ops", ["verify"])
    meant = jwk.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations
    # RFC 9864 names EdDSA by its curve.
    return algorithm if meant and jwk.get("alg", algorithm) in {algorithm, _named(algorithm)} else None


def _named(algorithm: str | None) -> str | None:
    return "Ed25519" if algorithm == "EdDSA" else algorithm
