"""The `[auth]` table: whether tokens are asked for, whose, and how they may be shown."""

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from shared.address import Addresses, Network
from shared.errors import ConfigurationError
from shared.grants import ACTIONS, Action
from shared.origin import OriginMistake, Origins
from shared.pattern import PatternMistake, Template

_SECRET_BYTES: Final = 32
_LOCALHOST: Final = "localhost"


class IssuerSettings(BaseModel):
    """One `[auth.issuers.NAME]` table: `NAME` is for people, and stands nowhere else."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str = Field(min_length=1, description="The `iss` of its tokens, to the letter.")
    audience: str = Field(min_length=1, description="What their `aud` has to be, or to hold.")
    jwks: str | None = Field(
        None, description="Its public keys, a JWK Set: an `https` URL (`http` on this machine only), or a file."
    )
    secret_file: Path | None = Field(
        None, description="A file with the shared secret of HS256, instead of keys; only with `development`."
    )

    @model_validator(mode="after")
    def _one_kind_of_key(self) -> Self:
        if (self.jwks is None) == (self.secret_file is None):
            raise ValueError("an issuer has jwks, or (for development) a secret_file")
        if self.jwks is not None and "://" in self.jwks:
            where = urlsplit(self.jwks)
            if where.scheme != "https" and not (where.scheme == "http" and is_loopback(where.hostname or "")):
                raise ValueError("jwks is an https URL, or http on this machine: whoever changes keys can be anybody")
        return self

    def secret(self) -> bytes:
        """The shared secret; raises ConfigurationError when it can't be had, or could be guessed."""
        return _secret(self.secret_file) if self.secret_file else b""


class AuthSettings(BaseModel):
    """The `[auth]` table: `WATCHROUTE_AUTH_*`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mode: Literal["jwt", "none"] | None = Field(
        None, description="`jwt`: tokens are asked for; `none`: nobody is asked. The services don't start without it."
    )
    anyone: bool = Field(
        default=False, description="Let mode `none` listen at an address that others than this machine reach."
    )
    development: bool = Field(default=False, description="Let issuers sign with a shared secret (HS256).")
    leeway_s: float = Field(10, ge=0, le=300, description="By how much clocks may differ.")
    keys_refresh_s: float = Field(300, ge=10, le=86_400, description="Between two looks at an issuer's keys.")
    cookie: str | None = Field(
        None, pattern=r"^__Host-[A-Za-z0-9_-]+$", description="The cookie that may hold a token, `__Host-…`; none: no."
    )
    token_in_query: bool = Field(
        default=False, description="Take `?token=`: addresses end up in logs of others, so better not."
    )
    grants: tuple[str, ...] = Field(
        (), description="What each token grants besides its scopes: `watch:inbox/{sub}`, `publish:rooms/{tenant}/*`."
    )
    ticket_secret_file: Path | None = Field(
        None, description="A file with 32 bytes or more that all push servers share, so that tickets work on each."
    )
    revocations: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9._-]{1,249}$",
        description="The Kafka topic that says which tokens are good no more (`watchroute revoke`); none: no.",
    )
    hide: bool = Field(default=False, description="What isn't granted looks as if it weren't there: 404, not 403.")
    narrow: bool = Field(
        default=False, description="A watch of several resources that is granted in part shows that part, not 403."
    )
    origins: tuple[str, ...] = Field(
        (), description="Pages of other origins that may ask: `https://app.example`, `https://*.example`, or `*`."
    )
    trusted_proxies: tuple[str, ...] = Field(
        ("127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
        description="Networks whose `X-Forwarded-For` is believed, for limits and the audit: where the front door is.",
    )
    issuers: dict[str, IssuerSettings] = Field({}, description="Who signs tokens: `[auth.issuers.NAME]`.")

    @field_validator("grants")
    @classmethod
    def _readable_grants(cls, grants: tuple[str, ...]) -> tuple[str, ...]:
        list(_templates(grants))
        return grants

    @field_validator("origins")
    @classmethod
    def _readable_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        try:
            Origins(origins)
        except OriginMistake as mistake:
            raise ValueError(str(mistake)) from None
        return origins

    @field_validator("trusted_proxies")
    @classmethod
    def _readable_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        list(_networks(networks))
        return networks

    @model_validator(mode="after")
    def _tokens_can_be_verified(self) -> Self:
        if self.mode == "jwt" and not self.issuers:
            raise ValueError("mode jwt needs an issuer: [auth.issuers.NAME]")
        if not self.development and any(issuer.secret_file for issuer in self.issuers.values()):
            raise ValueError("a secret_file is for development: whoever can verify with it can sign; set development")
        if self.cookie and "*" in self.origins:
            raise ValueError("with a cookie, origins can't be *: a page of anybody could ask as whoever looks at it")
        names = [issuer.issuer for issuer in self.issuers.values()]
        if len(set(names)) < len(names):
            raise ValueError("two issuers have the same name (issuer)")
        return self

    def ticket_secret(self) -> bytes | None:
        """What tickets are signed with, None for a secret of one's own; raises ConfigurationError."""
        return _secret(self.ticket_secret_file) if self.ticket_secret_file else None

    @property
    def addresses(self) -> Addresses:
        """How the address of a client is found, by `trusted_proxies`."""
        return Addresses(list(_networks(self.trusted_proxies)))

    @property
    def templates(self) -> list[tuple[Action, Template]]:
        """`grants`, as the matcher takes them."""
        return list(_templates(self.grants))

    def require_mode(self, *hosts: str) -> None:
        """Raise ConfigurationError unless it was said who may come in at these addresses."""
        if self.mode is None:
            raise ConfigurationError(
                ['auth.mode (WATCHROUTE_AUTH_MODE): write "jwt", or "none" where nobody is to be asked for a token']
            )
        open_to = [host or "every address" for host in hosts if not is_loopback(host)]
        if self.mode == "none" and open_to and not self.anyone:
            at = open_to[0]
            raise ConfigurationError(
                [f'auth.mode: "none" at {at} lets whoever reaches it read and write: if that is meant, anyone = true']
            )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    if host == _LOCALHOST:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _secret(path: Path) -> bytes:
    try:
        secret = path.read_bytes().strip()
    except OSError as error:
        raise ConfigurationError([f"auth: {path}: {error.strerror}"]) from None
    if len(secret) < _SECRET_BYTES:
        raise ConfigurationError([f"auth: {path} has less than {_SECRET_BYTES} bytes: it could be guessed"])
    return secret


def _networks(written: tuple[str, ...]) -> Iterator[Network]:
    for text in written:
        try:
            yield ipaddress.ip_network(text)
        except ValueError as error:
            raise ValueError(f"{text!r} is no network: {error}") from None


def _templates(grants: tuple[str, ...]) -> Iterator[tuple[Action, Template]]:
    for written in grants:
        named, mark, pattern = written.partition(":")
        action = next((each for each in ACTIONS if each == named), None)
        if not mark or action is None:
            raise ValueError(f"{written!r}: a grant begins with {' or '.join(f'{each}:' for each in ACTIONS)}")
        try:
            yield action, Template.parse(pattern)
        except PatternMistake as mistake:
            raise ValueError(f"{written!r}: {mistake}") from None
