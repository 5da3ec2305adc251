"""A key pair for development: the private half in a file of its owner's, the public half as a JWK Set."""

import base64
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import get_default_algorithms

from shared.errors import WatchrouteError

PRIVATE: Final = "private.pem"
PUBLIC: Final = "jwks.json"
_OTHERS: Final = 0o077
_MAKE: Final[Mapping[str, Callable[[], Any]]] = {
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "RS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
}
_OF_KIND: Final[Mapping[str, tuple[str, ...]]] = {
    "OKP": ("crv", "kty", "x"),
    "EC": ("crv", "kty", "x", "y"),
    "RSA": ("e", "kty", "n"),
}
"""The members that a key's thumbprint is taken of (RFC 7638, 3.2)."""


class KeyUnusable(WatchrouteError):
    """The key can't be written or read; the message says why."""


class DevelopmentKey:
    """A private key for one algorithm: EdDSA (Ed25519), ES256 or RS256."""

    def __init__(self, algorithm: str, private: Any) -> None:
        self._algorithm = algorithm
        self._private = private

    @classmethod
    def generate(cls, algorithm: str) -> Self:
        """A new one."""
        return cls(algorithm, _MAKE[algorithm]())

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The one that `write` left there; raises KeyUnusable, also when others may read it."""
        path = folder / PRIVATE
        try:
            with path.open("rb") as file:
                if os.fstat(file.fileno()).st_mode & _OTHERS:
                    raise KeyUnusable(f"{path}: others may read it: chmod 600 it, or make another key")
                private = load_pem_private_key(file.read(), password=None)
        except OSError as error:
            raise KeyUnusable(f"{path}: {error.strerror}; `watchroute token keys` makes one") from None
        except (ValueError, TypeError):
            raise KeyUnusable(f"{path}: it is no private key without a password") from None
        return cls(_algorithm_of(private, path), private)

    @property
    def jwk(self) -> dict[str, str]:
        """The public half (RFC 7517); its `kid` is its thumbprint (RFC 7638)."""
        public = get_default_algorithms()[self._algorithm].to_jwk(self._private.public_key(), as_dict=True)
        members = {name: public[name] for name in _OF_KIND[public["kty"]]}
        digest = hashlib.sha256(json.dumps(members, separators=(",", ":"), sort_keys=True).encode()).digest()
        return {
            **members,
            "use": "sig",
            "alg": self._algorithm,
            "kid": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        }

    def write(self, folder: Path) -> Path:
        """Write both halves, and return the JWK Set's path; raises KeyUnusable, and replaces nothing."""
        private = self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public = json.dumps({"keys": [self.jwk]}, indent=2).encode() + b"\n"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            taken = next((path for path in (folder / PRIVATE, folder / PUBLIC) if path.exists()), None)
            if taken is not None:
                raise KeyUnusable(f"{taken}: it is there already, and no key is replaced")
            _write_new(folder / PRIVATE, private, 0o600)
            _write_new(folder / PUBLIC, public, 0o644)
        except OSError as error:
            raise KeyUnusable(f"{folder}: {error.strerror}") from None
        return folder / PUBLIC

    def sign(self, claims: Mapping[str, Any]) -> str:
        """A token with these claims."""
        return jwt.encode(dict(claims), self._private, self._algorithm, headers={"kid": self.jwk["kid"]})


def _algorithm_of(private: object, path: Path) -> str:
    match private:
        case ed25519.Ed25519PrivateKey():
            return "EdDSA"
        case ec.EllipticCurvePrivateKey(curve=ec.SECP256R1()):
            return "ES256"
        case rsa.RSAPrivateKey():
            return "RS256"
        case _:
            raise KeyUnusable(f"{path}: it is a key of another kind than Ed25519, P-256 and RSA")


def _write_new(path: Path, content: bytes, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
