"""Tokens: those that a stranger made up, and those that an issuer signed around claims that make no sense."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Coroutine
from random import Random
from typing import Any, Final, TypeVar

from shared.pattern import Template
from shared.principal import Principal
from shared.problem import Problem
from shared.resource import Watch
from shared.token import Issuer, Verifier
from shared.verify_key import VerifyKey
from tests.hostile.fuzz.heads import check_refusal
from tests.hostile.fuzz.mutation import Mutator
from tests.support.tokens import AUDIENCE, ISSUER

_SECRET: Final = b"a secret of a fuzzer, and long enough"
_NOW: Final = 1_800_000_000
_HEADERS: Final = (
    b'{"alg":"HS256","typ":"JWT"}',
    b'{"alg":"HS256","kid":"one"}',
    b'{"alg":"none"}',
    b'{"alg":"HS256","crit":["b64"]}',
)
_CLAIMS: Final = tuple(
    json.dumps({"iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "exp": 2 * _NOW, **more}).encode()
    for more in (
        {},
        {"iat": _NOW - 5, "nbf": _NOW - 5, "jti": "one", "aud": [AUDIENCE, "other"]},
        {"scope": "watch:items/* publish:items/a watch:caf%C3%A9/b", "tenant": "acme"},
        {"authorization_details": [{"type": "watchroute", "actions": ["watch"], "resources": ["items/*"]}]},
    )
)
_WORDS: Final = (
    b'"exp":1e999',
    b'"iat":1e999',
    b'"exp":' + b"9" * 400,
    b'"exp":NaN',
    b'"sub":7',
    b'"aud":{}',
    b'"nbf":"x"',
    b'"iss":[]',
    b"HS256",
    b"scope",
    b"{",
    b",",
)
T = TypeVar("T")


class Tokens:
    """Inputs are tokens: half of them have a right signature."""

    name = "tokens"

    def __init__(self) -> None:
        issuer = Issuer(ISSUER, AUDIENCE, shared=VerifyKey(None, "HS256", _SECRET))
        own = [("watch", Template.parse("inbox/{sub}")), ("watch", Template.parse("rooms/{tenant}/*"))]
        self._verifier = Verifier([issuer], leeway_s=5, own=own)  # type: ignore[arg-type]

    def make(self, random: Random) -> str:
        """One that is signed, or one that is changed afterwards."""
        header = random.choice(_HEADERS) if random.random() < 0.7 else Mutator(random, _HEADERS, _WORDS).make()
        claims = Mutator(random, _CLAIMS, _WORDS, calm=0.3).make()
        signed = _signed(header, claims)
        return signed if random.random() < 0.5 else Mutator(random, [signed.encode()]).text()

    def run(self, data: str) -> bool:
        """Whether it is accepted, which only a right signature is."""
        try:
            principal = at_once(self._verifier.verify(data))
        except Problem as problem:
            check_refusal(problem)
            assert problem.code in {"unauthenticated", "token_expired"}, problem
            assert data[:2000] not in problem.detail or len(data) < 20, "a token is shown"
            return False
        _check(data, principal)
        return True


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """What it returns; it has nothing to wait for."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("it waits for something")


def _check(token: str, principal: Principal) -> None:
    signed, _, signature = token.rpartition(".")
    right = hmac.digest(_SECRET, signed.encode(), hashlib.sha256)
    assert signature.rstrip("=") == _base64(right), "a wrong signature is taken"
    assert principal.sub
    assert principal.expires_at == principal.expires_at, "it never expires"
    principal.grants.cover("watch", Watch("items", "a"))


def _signed(header: bytes, claims: bytes) -> str:
    text = f"{_base64(header)}.{_base64(claims)}"
    return f"{text}.{_base64(hmac.digest(_SECRET, text.encode(), hashlib.sha256))}"


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
