"""The `[auth]` table: what is refused, and why."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from shared.auth_settings import AuthSettings, IssuerSettings, is_loopback
from shared.errors import ConfigurationError

KEYS = {"issuer": "https://id.example", "audience": "watchroute", "jwks": "https://id.example/keys"}


def auth(**settings: Any) -> AuthSettings:
    return AuthSettings.model_validate({"mode": "jwt", "issuers": {"main": KEYS}, **settings})


MISTAKES = {
    "an http address": ({"issuers": {"main": {**KEYS, "jwks": "http://id.example/keys"}}}, "https URL"),
    "a file address": ({"issuers": {"main": {**KEYS, "jwks": "file:///etc/keys"}}}, "https URL"),
    "no keys": ({"issuers": {"main": {**KEYS, "jwks": None}}}, "jwks, or"),
    "keys and a secret": ({"issuers": {"main": {**KEYS, "secret_file": "x"}}}, "jwks, or"),
    "a secret": ({"issuers": {"main": {**KEYS, "jwks": None, "secret_file": "x"}}}, "set development"),
    "no issuer": ({"issuers": {}}, "needs an issuer"),
    "one twice": ({"issuers": {"main": KEYS, "other": KEYS}}, "same name"),
    "a cookie of another kind": ({"cookie": "session"}, "cookie"),
    "a cookie for every page": ({"cookie": "__Host-w", "origins": ["*"]}, "can't be *"),
    "no origin": ({"origins": ["app.example"]}, "no origin"),
    "no action": ({"grants": ["stocks/*"]}, "begins with"),
    "an unknown action": ({"grants": ["read:stocks/*"]}, "begins with"),
    "a claim before the star": ({"grants": ["watch:inbox/{sub}*"]}, "{sub}/*"),
    "a wide clock": ({"leeway_s": 3600}, "300"),
    "an unknown name": ({"issuer": "x"}, "issuer"),
}


@pytest.mark.parametrize(("settings", "says"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_refused_with_its_reason(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as refused:
        auth(**settings)
    assert says in str(refused.value)


def test_keys_of_this_machine_may_come_by_http() -> None:
    for host in ("127.0.0.1:9", "localhost", "[::1]:80"):
        assert auth(issuers={"main": {**KEYS, "jwks": f"http://{host}/keys"}}).issuers["main"].jwks


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("", False),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("localhost.example", False),
    ],
)
def test_nobody_is_asked_only_where_only_this_machine_comes_in(host: str, *, loopback: bool) -> None:
    assert is_loopback(host) == loopback
    nobody = AuthSettings(mode="none")
    if loopback:
        nobody.require_mode("127.0.0.1", host)
    else:
        with pytest.raises(ConfigurationError, match="anyone = true"):
            nobody.require_mode("127.0.0.1", host)
    AuthSettings(mode="none", anyone=True).require_mode(host)
    auth().require_mode(host)


def test_without_a_mode_nothing_goes() -> None:
    with pytest.raises(ConfigurationError, match="WATCHROUTE_AUTH_MODE"):
        AuthSettings().require_mode("127.0.0.1")


@pytest.mark.parametrize("content", [None, b"", b"x" * 31])
def test_a_secret_that_can_be_guessed_or_is_not_there_is_refused(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    shared = IssuerSettings(issuer="x", audience="y", secret_file=file)
    for read in (shared.secret, AuthSettings(ticket_secret_file=file).ticket_secret):
        with pytest.raises(ConfigurationError, match="secret"):
            read()


def test_a_secret_of_32_bytes_is_taken_without_the_line_break_behind_it(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"x" * 32 + b"\n")
    assert AuthSettings(ticket_secret_file=file).ticket_secret() == b"x" * 32
    assert AuthSettings().ticket_secret() is None
