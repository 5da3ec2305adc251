"""Whom a token speaks for, and every way in which it may lie."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from shared.key_source import KeySource
from shared.pattern import Template
from shared.problem import Problem
from shared.resource import Watch
from shared.token import MOST_TOKEN_BYTES, Issuer, Verifier
from shared.verify_key import VerifyKey
from tests.support.tokens import AUDIENCE, ISSUER, SigningKey, filled, key_set

KEYS = {algorithm: SigningKey(algorithm, algorithm) for algorithm in ("RS256", "ES256", "EdDSA")}
RSA, EC = KEYS["RS256"], KEYS["ES256"]
STRANGER = SigningKey("RS256", "RS256")
SECRET = b"a secret of development, long enough"
DEVELOPMENT = "https://development.example"


@pytest.fixture(scope="module")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> Verifier:
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    path.write_bytes(key_set(*KEYS.values()))
    public = Issuer(ISSUER, AUDIENCE, KeySource(str(path), 600))
    shared = Issuer(DEVELOPMENT, AUDIENCE, shared=VerifyKey(None, "HS256", SECRET))
    return Verifier([public, shared], leeway_s=5, own=[("watch", Template.parse("inbox/{sub}"))])


def encoded(part: object) -> str:
    text = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def forged(header: dict[str, Any], claims: dict[str, Any], key: bytes = b"") -> str:
    """A token that no library would make."""
    signed = f"{encoded(header)}.{encoded(claims)}"
    return f"{signed}.{encoded(hmac.digest(key, signed.encode(), hashlib.sha256)) if key else ''}"


def pem(key: SigningKey) -> bytes:
    text: bytes = key.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return text


async def refused(verifier: Verifier, token: str) -> str:
    """The code; what is said never has the token in it."""
    with pytest.raises(Problem) as problem:
        await verifier.verify(token)
    assert not token or token not in problem.value.detail
    assert "SIGNATURE" not in str(problem.value.document())
    return problem.value.code


@pytest.mark.parametrize("algorithm", KEYS)
async def test_a_good_token_says_who_somebody_is_and_what_he_may(verifier: Verifier, algorithm: str) -> None:
    token = KEYS[algorithm].sign(scope="watch:stocks/*", jti="7", iat=1000)
    principal = await verifier.verify(token)
    assert (principal.sub, principal.jti, principal.issued_at) == ("ann", "7", 1000)
    assert principal.expires_at > time.time()
    assert principal.grants.cover("watch", Watch("stocks"))
    assert principal.grants.cover("watch", Watch("inbox", "ann"))
    assert not principal.grants.cover("watch", Watch("inbox", "bob"))
    assert await verifier.verify(token) is principal


async def test_a_shared_secret_is_for_its_own_issuer(verifier: Verifier) -> None:
    own = jwt.encode(filled({"iss": DEVELOPMENT}), SECRET, "HS256")
    assert (await verifier.verify(own)).sub == "ann"
    assert await refused(verifier, jwt.encode(filled({}), SECRET, "HS256")) == "unauthenticated"
    assert await refused(verifier, RSA.sign(iss=DEVELOPMENT)) == "unauthenticated"


LIES: dict[str, Callable[[], str]] = {
    "no token": lambda: "",
    "no JWT": lambda: "a.b.c",
    "four parts": lambda: RSA.sign() + ".x",
    "alg none": lambda: forged({"alg": "none"}, filled({})),
    "alg None": lambda: forged({"alg": "None", "kid": "RS256"}, filled({})),
    "alg missing": lambda: forged({"typ": "JWT"}, filled({})),
    "alg no text": lambda: forged({"alg": ["RS256"]}, filled({})),
    "key confusion": lambda: forged({"alg": "HS256", "kid": "RS256"}, filled({}), pem(RSA)),
    "key confusion, elliptic": lambda: forged({"alg": "HS256", "kid": "ES256"}, filled({}), pem(EC)),
    "key of another kind": lambda: EC.sign(headers={"kid": "RS256"}),
    "a stranger's key": STRANGER.sign,
    "unknown key": lambda: RSA.sign(headers={"kid": "unknown"}),
    "key brought along": lambda: STRANGER.sign(headers={"jwk": STRANGER.jwk, "jku": "http://127.0.0.1/"}),
    "crit": lambda: RSA.sign(headers={"crit": ["b64"], "b64": False}),
    "wrong audience": lambda: RSA.sign(aud="other"),
    "no audience": lambda: RSA.sign(aud=None),
    "wrong issuer": lambda: RSA.sign(iss="https://evil.example"),
    "issuer no text": lambda: forged({"alg": "RS256", "kid": "RS256"}, filled({"iss": [ISSUER]}), b"x"),
    "no issuer": lambda: RSA.sign(iss=None),
    "no sub": lambda: RSA.sign(sub=None),
    "empty sub": lambda: RSA.sign(sub=""),
    "no exp": lambda: RSA.sign(exp=None),
    "not yet": lambda: RSA.sign(nbf=int(time.time()) + 60),
    "issued in the future": lambda: RSA.sign(iat=int(time.time()) + 600),
    "too long": lambda: RSA.sign(fill="x" * MOST_TOKEN_BYTES),
    "signature cut off": lambda: RSA.sign().rpartition(".")[0] + ".",
    "claims changed": lambda: ".".join(
        part if number != 1 else encoded(filled({"sub": "root"})) for number, part in enumerate(RSA.sign().split("."))
    ),
    "claims no object": lambda: f"{encoded({'alg': 'RS256'})}.{encoded([1])}.x",
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_lie_is_refused(verifier: Verifier, lie: str) -> None:
    assert await refused(verifier, LIES[lie]()) == "unauthenticated"


async def test_an_expired_token_is_called_so_and_the_leeway_counts(verifier: Verifier) -> None:
    now = int(time.time())
    assert await refused(verifier, RSA.sign(exp=now - 60)) == "token_expired"
    assert (await verifier.verify(RSA.sign(exp=now - 2))).sub == "ann"


async def test_a_token_that_was_good_is_not_good_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(key_set(RSA))
    later_s = 0.0
    issuer = Issuer(ISSUER, AUDIENCE, KeySource(str(path), 600))
    strict = Verifier([issuer], leeway_s=5, clock=lambda: time.time() + later_s)
    token = RSA.sign()
    await strict.verify(token)
    later_s = 602
    await strict.verify(token)
    later_s = 606
    assert await refused(strict, token) == "token_expired"


async def test_without_keys_a_server_isnt_ready_instead_of_calling_people_liars(tmp_path: Path) -> None:
    away = Verifier([Issuer(ISSUER, AUDIENCE, KeySource(str(tmp_path / "none"), 600))], leeway_s=0)
    assert await refused(away, RSA.sign()) == "not_ready"


@given(token=st.text(max_size=200) | st.builds(".".join, st.lists(st.text(max_size=40), min_size=3, max_size=3)))
async def test_any_text_is_refused_and_breaks_nothing(verifier: Verifier, token: str) -> None:
    with pytest.raises(Problem):
        await verifier.verify(token)


@given(
    header=st.dictionaries(
        st.sampled_from(["alg", "kid", "typ", "crit", "b64"]),
        st.none() | st.booleans() | st.text(max_size=5) | st.lists(st.integers(), max_size=2),
    ),
    claims=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["iss", "sub", "aud", "exp"]), inner, max_size=3)
        ),
    ),
)
async def test_any_json_is_refused_and_breaks_nothing(verifier: Verifier, header: dict[str, Any], claims: Any) -> None:
    with pytest.raises(Problem):
        await verifier.verify(f"{encoded(header)}.{encoded(claims)}.AAAA")
