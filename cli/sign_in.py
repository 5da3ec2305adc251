"""Who is at the page of an example: made-up people, and tokens for them. For one's own machine only."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cli.development_key import PUBLIC, DevelopmentKey
from cli.settings import AllSettings
from cli.token import AUDIENCE, ISSUER
from shared.auth_settings import IssuerSettings
from shared.problem import Problem

_LIFE_S: Final = 600
_NO_STORE: Final = {"Cache-Control": "no-store"}


class SignIn:
    """`GET /sign-in/` lists the people, `POST /sign-in/{sub}` is a token of one of them, without a password.

    The private key is made here and never written.
    """

    def __init__(self, people: Mapping[str, Mapping[str, str]]) -> None:
        self._people = people
        self._key = DevelopmentKey.generate("EdDSA")

    def trusted(self, settings: AllSettings, folder: Path) -> AllSettings:
        """The settings with our key, the public half of which is left in the folder, in place of every issuer's."""
        path = folder / PUBLIC
        path.write_text(json.dumps({"keys": [self._key.jwk]}), encoding="utf-8")
        issuer = IssuerSettings(issuer=ISSUER, audience=AUDIENCE, jwks=str(path))
        auth = settings.auth.model_copy(update={"issuers": {"demo": issuer}})
        return settings.model_copy(update={"auth": auth})

    @property
    def routes(self) -> list[Route]:
        """What is served beside the page."""
        return [Route("/sign-in/", self._list), Route("/sign-in/{sub}", self._token, methods=["POST"])]

    async def _list(self, _: Request) -> Response:
        return JSONResponse({sub: person["name"] for sub, person in self._people.items()}, headers=_NO_STORE)

    async def _token(self, request: Request) -> Response:
        sub = request.path_params["sub"]
        if sub not in self._people:
            raise Problem("not_found", "nobody of that name can be signed in")
        now = int(time.time())
        token = self._key.sign(
            {
                "jti": uuid4().hex,
                "iss": ISSUER,
                "aud": AUDIENCE,
                "sub": sub,
                "iat": now,
                "exp": now + _LIFE_S,
                "scope": self._people[sub]["scope"],
            }
        )
        return JSONResponse({"token": token}, headers=_NO_STORE)
