import json
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
from starlette.testclient import TestClient

from cli.settings import AllSettings
from cli.sign_in import SignIn
from shared.answers import problem_app

PEOPLE = {
    "ada": {"name": "Ada", "scope": "watch:messages/garden.*"},
    "bob": {"name": "Bob", "scope": ""},
}


@pytest.fixture
def sign_in() -> SignIn:
    return SignIn(PEOPLE)


@pytest.fixture
def client(sign_in: SignIn) -> Iterator[TestClient]:
    with TestClient(problem_app(sign_in.routes)) as opened:
        yield opened


def test_the_people_are_listed_by_their_names(client: TestClient) -> None:
    assert client.get("/sign-in/").json() == {"ada": "Ada", "bob": "Bob"}


def test_a_token_speaks_for_one_of_them_and_grants_their_scope(
    sign_in: SignIn, client: TestClient, tmp_path: Path
) -> None:
    settings = sign_in.trusted(AllSettings(), tmp_path)
    (issuer,) = settings.auth.issuers.values()
    (key,) = jwt.PyJWKSet.from_json(Path(issuer.jwks or "").read_text()).keys
    answer = client.post("/sign-in/ada")
    claims = jwt.decode(
        answer.json()["token"], key.key, algorithms=["EdDSA"], audience=issuer.audience, issuer=issuer.issuer
    )
    assert (claims["sub"], claims["scope"]) == ("ada", "watch:messages/garden.*")
    assert 0 < claims["exp"] - claims["iat"] <= 600
    assert answer.headers["cache-control"] == "no-store"


def test_what_is_written_is_the_public_half_only(sign_in: SignIn, tmp_path: Path) -> None:
    sign_in.trusted(AllSettings(), tmp_path)
    (written,) = tmp_path.iterdir()
    (key,) = json.loads(written.read_text())["keys"]
    assert "d" not in key


def test_nobody_else_can_be_signed_in(client: TestClient) -> None:
    assert client.post("/sign-in/eve").status_code == 404
    assert client.get("/sign-in/ada").status_code == 405
