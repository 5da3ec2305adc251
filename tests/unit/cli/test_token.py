import json
import stat
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import jwt
import pytest
from click.testing import CliRunner, Result

from cli.__main__ import watchroute
from cli.development_key import PRIVATE, PUBLIC
from infra.cluster.process import ROOT
from shared.auth_settings import AuthSettings
from shared.catalog import Catalog
from shared.gate import Gate
from shared.kafka import KafkaSettings
from shared.resource import Watch

ALGORITHMS = ("EdDSA", "ES256", "RS256")
MAKE = ("--sub", "ada", "--scope", "watch:stocks/* publish:chats/42")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(watchroute, ["token", *map(str, arguments)])


@pytest.fixture(scope="module", params=ALGORITHMS)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, str]:
    """An algorithm, the folder of its key, and what was said of it."""
    folder = tmp_path_factory.mktemp("token") / "deep/er"
    result = run("keys", folder, "--algorithm", request.param)
    assert (result.exit_code, result.stdout) == (0, "")
    return request.param, folder, result.stderr


def claims_of(token: str) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found


def test_only_its_owner_reads_the_private_key(made: tuple[str, Path, str]) -> None:
    _, folder, _ = made
    assert stat.S_IMODE((folder / PRIVATE).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (key,) = json.loads((folder / PUBLIC).read_text())["keys"]
    assert not {"d", "p", "q", "k"} & set(key)


async def test_what_is_said_is_an_auth_table_that_takes_the_token(made: tuple[str, Path, str]) -> None:
    algorithm, folder, said = made
    table = tomllib.loads(said.partition("\n\n")[2])["auth"]
    result = run("make", "--key", folder, *MAKE)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.count("\n") == 1
    token = result.stdout.strip()
    assert jwt.get_unverified_header(token)["alg"] == algorithm
    gate = Gate(AuthSettings(**table), Catalog({}), KafkaSettings())
    principal = await gate.verify(token)
    assert principal.sub == "ada"
    assert principal.grants.cover("watch", Watch.parse("stocks/AAPL"))
    assert not principal.grants.cover("watch", Watch.parse("chats/42"))


def test_the_claims_are_what_the_options_say(made: tuple[str, Path, str]) -> None:
    _, folder, _ = made
    more = ("--claim", "tenant=blue", "--claim", "note=a=b", "--expires", "2m", "--issuer", "me", "--audience", "you")
    claims = claims_of(run("make", "--key", folder, *MAKE, *more).stdout.strip())
    assert {name: claims[name] for name in ("tenant", "note", "iss", "aud")} == {
        "tenant": "blue",
        "note": "a=b",
        "iss": "me",
        "aud": "you",
    }
    assert claims["scope"] == "watch:stocks/* publish:chats/42"
    assert claims["exp"] - claims["iat"] == 120
    assert abs(claims["iat"] - time.time()) < 60


def test_two_tokens_differ_in_their_jti(made: tuple[str, Path, str]) -> None:
    one, other = (claims_of(run("make", "--key", made[1], *MAKE).stdout.strip())["jti"] for _ in range(2))
    assert one != other


def test_no_key_is_replaced(made: tuple[str, Path, str]) -> None:
    _, folder, _ = made
    before = (folder / PRIVATE).read_bytes()
    result = run("keys", folder)
    assert "is there already" in str(result.exception)
    assert (folder / PRIVATE).read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--scope", "stocks/*"), "doesn't begin with watch: or publish:"),
        (("--scope", "read:stocks/*"), "doesn't begin with watch: or publish:"),
        (("--scope", "watch:a b"), "'b' doesn't begin"),
        (("--scope", "watch:/x"), "can't name a collection"),
        (("--expires", "soon"), "is no time"),
        (("--expires", "0s"), "is no time"),
        (("--claim", "tenant"), "is not NAME=TEXT"),
        (("--claim", "sub=eve"), "'sub' is made of the other options"),
        (("--claim", "a=1", "--claim", "a=2"), "'a' is said already"),
        (("--sub", ""), "speaks for somebody"),
    ],
)
def test_a_mistake_is_named_and_no_token_printed(arguments: tuple[str, ...], says: str, tmp_path: Path) -> None:
    run("keys", tmp_path)
    result = run("make", "--key", tmp_path, "--sub", "ada", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in " ".join(result.stderr.split())


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    run("keys", tmp_path)
    (tmp_path / PRIVATE).chmod(0o640)
    result = run("make", "--key", tmp_path, *MAKE)
    assert "chmod 600" in str(result.exception)
    assert result.stdout == ""


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_key_is_named_by_its_path(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / PRIVATE).write_bytes(content)
        (tmp_path / PRIVATE).chmod(0o600)
    result = run("make", "--key", tmp_path, *MAKE)
    assert str(tmp_path / PRIVATE) in str(result.exception)


def test_the_command_loads_no_cryptography_before_it_is_needed() -> None:
    script = "import sys, cli.token; sys.exit(any(name in sys.modules for name in ('jwt', 'cryptography')))"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0
