"""An identity provider: its keys in a file, and tokens of every kind, good and bad."""

import base64
import hmac
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shared.auth_settings import AuthSettings, IssuerSettings
from tests.support.tokens import AUDIENCE, ISSUER, SigningKey, filled, key_set

LEEWAY_S: Final = 1
COOKIE: Final = "__Host-watchroute"
PAGES: Final = "https://app.example"


class Identity:
    """`auth` is the `[auth]` table that trusts it; `settings` are more of that table."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.key = SigningKey("RS256", "main")
        self._stranger = SigningKey("RS256", "main")
        file = folder / "jwks.json"
        file.write_bytes(key_set(self.key, SigningKey("ES256", "other")))
        table = IssuerSettings(issuer=ISSUER, audience=AUDIENCE, jwks=str(file))
        chosen: dict[str, Any] = {"cookie": COOKIE, "token_in_query": True, "origins": (PAGES,), **settings}
        self.auth = AuthSettings(mode="jwt", leeway_s=LEEWAY_S, issuers={"main": table}, **chosen)

    def token(self, scope: str, **claims: Any) -> str:
        """A good one of `ann`."""
        return self.key.sign(scope=scope, **claims)

    def bad(self, scope: str) -> Mapping[str, str]:
        """Tokens that say the right thing, and that nobody is to believe, by what is wrong with them."""
        now = time.time()
        return {
            "expired": self.token(scope, exp=int(now) - 60),
            "not yet": self.token(scope, nbf=int(now) + 600),
            "wrong audience": self.token(scope, aud="somebody else"),
            "wrong issuer": self.token(scope, iss="https://elsewhere.example"),
            "wrong key": self._stranger.sign(scope=scope),
            "without sub": self.token(scope, sub=None),
            "without exp": self.token(scope, exp=None),
            "alg none": f"{_part({'alg': 'none'})}.{_part(filled({'scope': scope}))}.",
            "key confusion": self._confused(scope),
            "changed": self._changed(scope),
            "garbage": "a.b.c",
        }

    def _confused(self, scope: str) -> str:
        """Signed with the public key, as if that were a shared secret."""
        public = self.key.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        signed = f"{_part({'alg': 'HS256', 'kid': 'main'})}.{_part(filled({'scope': scope}))}"
        return f"{signed}.{_text(hmac.digest(public, signed.encode(), 'sha256'))}"

    def _changed(self, scope: str) -> str:
        """A good one of less, made to say more."""
        head, _, signature = self.token("watch:nothing").split(".")
        return f"{head}.{_part(filled({'scope': scope}))}.{signature}"


def _part(content: Any) -> str:
    return _text(json.dumps(content).encode())


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
