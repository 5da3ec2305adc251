"""Keys of issuers, and tokens that they signed."""

import json
import time
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms

ISSUER: Final = "https://id.example"
AUDIENCE: Final = "watchroute"
_MAKE: Final = {
    "RS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}


class SigningKey:
    """A private key, and its public half as a JWK."""

    def __init__(self, algorithm: str, kid: str | None) -> None:
        self.algorithm = algorithm
        self.kid = kid
        self.private: Any = _MAKE[algorithm]()

    @property
    def jwk(self) -> dict[str, Any]:
        """What an issuer publishes of it."""
        public = json.loads(get_default_algorithms()[self.algorithm].to_jwk(self.private.public_key()))
        return {**public, "use": "sig", **({"kid": self.kid} if self.kid else {})}

    def sign(self, *, headers: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token; a claim of None is left out."""
        named = {"kid": self.kid} if self.kid else {}
        return jwt.encode(filled(claims), self.private, self.algorithm, headers={**named, **(headers or {})})


def filled(claims: dict[str, Any]) -> dict[str, Any]:
    """The claims of a good token, with these in place of its own."""
    own = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "exp": int(time.time()) + 600}
    return {name: claim for name, claim in {**own, **claims}.items() if claim is not None}


def key_set(*keys: SigningKey) -> bytes:
    """The JWK Set of an issuer."""
    return json.dumps({"keys": [key.jwk for key in keys]}).encode()
