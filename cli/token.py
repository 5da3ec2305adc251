"""`watchroute token`: keys and tokens for development, in place of an issuer."""

import json
import re
import time
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import click

from shared.grants import ACTIONS
from shared.pattern import Pattern, PatternMistake

ISSUER: Final = "watchroute-development"
AUDIENCE: Final = "watchroute"
_UNITS_S: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION: Final = re.compile(r"([1-9]\d{0,6})([smhd])")
_OWN_OPTION: Final = frozenset({"iss", "aud", "sub", "exp", "iat", "scope"})
_BLOCK: Final = """[auth]
mode = "jwt"

[auth.issuers.development]
issuer = {issuer}
audience = {audience}
jwks = {jwks}"""

_issuer = click.option("--issuer", default=ISSUER, show_default=True, help="The `iss` of the tokens.")
_audience = click.option("--audience", default=AUDIENCE, show_default=True, help="The `aud` of the tokens.")


@click.group()
def token() -> None:
    """Keys and tokens for development.

    Whoever has the key can make any token: a service that others use has a real issuer.
    """


@token.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--algorithm",
    type=click.Choice(["EdDSA", "ES256", "RS256"]),
    default="EdDSA",
    show_default=True,
    help="How it signs.",
)
@_issuer
@_audience
def keys(folder: Path, algorithm: str, issuer: str, audience: str) -> None:
    """Write a private key and jwks.json to FOLDER, and say what belongs into watchroute.toml.

    A key that is there already is never replaced.
    """
    # Cryptography takes a while to load; the same below.
    from cli.development_key import DevelopmentKey  # noqa: PLC0415 -- see above

    published = DevelopmentKey.generate(algorithm).write(folder)
    names = {"issuer": issuer, "audience": audience, "jwks": str(published.resolve())}
    click.echo("Add to watchroute.toml:\n", err=True)
    click.echo(_BLOCK.format(**{name: json.dumps(text, ensure_ascii=False) for name, text in names.items()}), err=True)


@token.command()
@click.option(
    "--key", "folder", required=True, type=click.Path(path_type=Path, file_okay=False), help="What `keys` wrote to."
)
@click.option("--sub", required=True, help="Whom it speaks for.")
@click.option("--scope", default="", help="What it grants: 'watch:stocks/* publish:chats/42'.")
@click.option("--claim", "claims", multiple=True, metavar="NAME=TEXT", help="A further claim; may be repeated.")
@click.option("--expires", default="1h", show_default=True, help="For how long it is good: 30s, 15m, 1h, 7d.")
@_issuer
@_audience
def make(**options: Any) -> None:
    """Print a token, and nothing else: curl -H "Authorization: Bearer $(watchroute token make …)"."""
    from cli.development_key import DevelopmentKey  # noqa: PLC0415 -- see above

    now = int(time.time())
    claims = {
        "jti": uuid4().hex,
        **_claims(options["claims"]),
        "iss": options["issuer"],
        "aud": options["audience"],
        "sub": options["sub"],
        "iat": now,
        "exp": now + _seconds(options["expires"]),
        "scope": _scope(options["scope"]),
    }
    if not claims["sub"]:
        raise click.BadParameter("a token speaks for somebody", param_hint="--sub")
    click.echo(DevelopmentKey.read(options["folder"]).sign(claims))


def _seconds(written: str) -> int:
    found = _DURATION.fullmatch(written)
    if found is None:
        raise click.BadParameter(f"{written!r} is no time: 30s, 15m, 1h, 7d", param_hint="--expires")
    return int(found[1]) * _UNITS_S[found[2]]


def _claims(written: tuple[str, ...]) -> dict[str, str]:
    claims = {}
    for each in written:
        name, mark, text = each.partition("=")
        if not name or not mark:
            raise click.BadParameter(f"{each!r} is not NAME=TEXT", param_hint="--claim")
        if name in _OWN_OPTION or name in claims:
            why = "said already" if name in claims else "made of the other options"
            raise click.BadParameter(f"{name!r} is {why}", param_hint="--claim")
        claims[name] = text
    return claims


def _scope(written: str) -> str:
    """The words, one space between; a token that grants less than it seems to would be looked at for long."""
    words = written.split()
    for word in words:
        action, mark, pattern = word.partition(":")
        if not mark or action not in ACTIONS:
            begins = " or ".join(f"{each}:" for each in ACTIONS)
            raise click.BadParameter(f"{word!r} doesn't begin with {begins}", param_hint="--scope")
        try:
            Pattern.parse(pattern)
        except PatternMistake as mistake:
            raise click.BadParameter(f"{word!r}: {mistake}", param_hint="--scope") from None
    return " ".join(words)
