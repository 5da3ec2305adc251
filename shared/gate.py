"""The gate: finds out for whom a request speaks."""

import asyncio
import time
from collections.abc import Mapping
from math import inf
from typing import TYPE_CHECKING, Any, Final

from shared.audit import Asker, Audit
from shared.auth_settings import AuthSettings, IssuerSettings
from shared.catalog import Catalog
from shared.cors import Cors
from shared.credentials import Credentials
from shared.grants import Action, Grants
from shared.kafka import KafkaSettings
from shared.origin import Origins
from shared.pattern import Template
from shared.principal import EVERYBODY, INVALID_TOKEN, Principal
from shared.problem import Problem
from shared.revocation_log import RevocationLog, Told

if TYPE_CHECKING:
    from shared.token import Issuer, Verifier

_NO_CLAIMS: Final[dict[str, str]] = {}


class Gate:
    """One for each service. `run` keeps the issuers' keys and the revocations fresh until it is cancelled."""

    def __init__(self, settings: AuthSettings, catalog: Catalog, kafka: KafkaSettings) -> None:
        public: list[tuple[Action, Template]] = [
            ("watch", Template.parse(f"{collection.name}/*")) for collection in catalog if collection.settings.public
        ]
        self.settings = settings
        self._origins = Origins(settings.origins)
        self._addresses = settings.addresses
        self.cors = Cors(self._origins, credentials=settings.cookie is not None)
        self._issuers: list[Issuer] = []
        self._verifier: Verifier | None = None
        if self.asks:
            self._issuers, self._verifier = _verifier(settings, [*public, *settings.templates])
        followed = settings.revocations if self.asks else None
        self.revocations = None if followed is None else RevocationLog(kafka, followed)
        granted = Grants.of_token(_NO_CLAIMS, public)
        self.audit = Audit()
        self._nobody = EVERYBODY
        if settings.mode != "none":
            self._nobody = Principal("", inf, granted, hides=settings.hide, narrows=settings.narrow)

    @property
    def asks(self) -> bool:
        """Whether anybody is asked for a token."""
        return self.settings.mode != "none"

    @property
    def not_ready(self) -> str | None:
        """Why nobody with a token could be let in now, or None."""
        sources = [issuer.keys for issuer in self._issuers if issuer.keys is not None]
        waits = sources and not any(source.known for source in sources)
        if waits:
            return "the keys of no issuer are known"
        return self.revocations.not_ready if self.revocations is not None else None

    async def run(self, told: Told | None = None) -> None:
        """Look at the keys from time to time, and follow the revocations; `told` hears of each (see RevocationLog)."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(asyncio.Event().wait())
            if self.revocations is not None:
                tasks.create_task(self.revocations.run(told))
            for issuer in self._issuers:
                if issuer.keys is not None:
                    tasks.create_task(issuer.keys.run())

    def asker(self, scope: Mapping[str, Any], headers: Mapping[str, str]) -> Asker:
        """Where a request comes from."""
        return Asker.of(self._addresses.of(scope.get("client"), headers), headers)

    async def admit(self, credentials: Credentials) -> tuple[Principal, str | None]:
        """For whom it speaks, and the token that says so; raises Problem.

        Who shows no token may see what is public, and everything where nobody is asked.
        """
        if not credentials.method:
            credentials.check_origin(self._origins)
        if not self.asks:
            return self._nobody, None
        token = credentials.token(self.settings, self._origins)
        return (self._nobody, None) if token is None else (await self.verify(token), token)

    async def verify(self, token: str) -> Principal:
        """Whom a token speaks for; raises Problem."""
        if self._verifier is None:
            raise Problem("invalid", "this server asks nobody for a token")
        principal = await self._verifier.verify(token)
        self.check(principal)
        return principal

    def check(self, principal: Principal) -> None:
        """Raise Problem when its token has ended or been revoked since it was verified, or that can't be known yet."""
        if time.time() > principal.expires_at + self.settings.leeway_s:
            raise Problem("token_expired", "the token has expired")
        if self.revocations is None or not principal.sub:
            return
        if (waits := self.revocations.not_ready) is not None:
            raise Problem("not_ready", waits)
        if self.revocations.held.revoked(principal):
            raise Problem("unauthenticated", "the token: it has been revoked", headers=INVALID_TOKEN)


def _verifier(settings: AuthSettings, own: list[tuple[Action, Template]]) -> "tuple[list[Issuer], Verifier]":
    # Cryptography and an HTTP client take a while to load, and are of no use where nobody is asked.
    from shared.key_source import KeySource  # noqa: PLC0415 -- see above
    from shared.token import Issuer, Verifier  # noqa: PLC0415 -- see above
    from shared.verify_key import VerifyKey  # noqa: PLC0415 -- see above

    def issuer(table: IssuerSettings) -> Issuer:
        if table.jwks is not None:
            return Issuer(table.issuer, table.audience, keys=KeySource(table.jwks, settings.keys_refresh_s))
        return Issuer(table.issuer, table.audience, shared=VerifyKey(None, "HS256", table.secret()))

    issuers = [issuer(table) for table in settings.issuers.values()]
    return issuers, Verifier(issuers, leeway_s=settings.leeway_s, own=own, hides=settings.hide, narrows=settings.narrow)
