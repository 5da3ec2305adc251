"""Which keys of a set are taken, and what for."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from shared.verify_key import MOST_KEYS, KeysUnreadable, VerifyKey, VerifyKeys
from tests.support.tokens import SigningKey, key_set

KEYS = {algorithm: SigningKey(algorithm, algorithm) for algorithm in ("RS256", "ES256", "EdDSA")}


def jwk_of(algorithm: str, **members: Any) -> dict[str, Any]:
    return {name: value for name, value in {**KEYS[algorithm].jwk, **members}.items() if value is not None}


@pytest.mark.parametrize("algorithm", KEYS)
@pytest.mark.parametrize("members", [{}, {"use": None}, {"kid": None}, {"key_ops": ["verify"]}])
def test_a_public_key_is_for_one_algorithm(algorithm: str, members: dict[str, Any]) -> None:
    found = VerifyKey.of_jwk(jwk_of(algorithm, **members))
    assert found
    assert (found.algorithm, found.kid) == (algorithm, None if "kid" in members else algorithm)


def test_eddsa_may_be_named_by_its_curve() -> None:
    assert VerifyKey.of_jwk(jwk_of("EdDSA", alg="Ed25519"))


UNUSABLE: dict[str, Any] = {
    "for encryption": jwk_of("RS256", use="enc"),
    "to encrypt": jwk_of("RS256", key_ops=["encrypt"]),
    "operations no list": jwk_of("RS256", key_ops="verify"),
    "another algorithm": jwk_of("RS256", alg="RS512"),
    "a symmetric algorithm": jwk_of("RS256", alg="HS256"),
    "an algorithm of another kind": jwk_of("ES256", alg="RS256"),
    "no point": jwk_of("ES256", x="AA"),
    "another curve's name": jwk_of("ES256", crv="P-384"),
    "a curve that is no text": jwk_of("ES256", crv=["P-256"]),
    "a kind that is no text": jwk_of("ES256", kty=["EC"]),
    "a curve for agreement": jwk_of("EdDSA", crv="X25519"),
    "symmetric": {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0", "alg": "HS256"},
    "short": json.loads(RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 1024).public_key())),  # noqa: S505 -- on purpose
    "another curve": json.loads(ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()).public_key())),
    "empty": {},
    "null": None,
    "list": [],
    "text": "key",
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_key_that_is_weak_or_for_something_else_is_left_out(name: str) -> None:
    assert VerifyKey.of_jwk(UNUSABLE[name]) is None


def test_a_key_is_found_by_its_name_and_algorithm() -> None:
    keys = VerifyKeys.of_set(key_set(*KEYS.values()))
    assert len(keys) == 3
    assert all(keys.find(algorithm, algorithm) for algorithm in KEYS)
    assert keys.find("RS256", "ES256") is None
    assert keys.find("RS256", "HS256") is None
    assert keys.find("unknown", "RS256") is None


def test_a_token_without_a_name_has_the_only_key_of_its_kind() -> None:
    one = VerifyKeys.of_set(key_set(KEYS["RS256"], KEYS["ES256"]))
    assert one.find(None, "RS256")
    two = VerifyKeys.of_set(key_set(KEYS["RS256"], SigningKey("RS256", "other")))
    assert two.find(None, "RS256") is None


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"{}",
        b'{"keys": {}}',
        b'{"keys": []}',
        b'{"keys": [{"kty": "oct", "k": "AAAA"}]}',
        b"\xff",
        b"[" * 100_000,
        json.dumps({"keys": [jwk_of("EdDSA")] * (MOST_KEYS + 1)}).encode(),
    ],
    ids=range(9),
)
def test_what_is_no_set_of_usable_keys_is_refused(document: bytes) -> None:
    with pytest.raises(KeysUnreadable):
        VerifyKeys.of_set(document)
