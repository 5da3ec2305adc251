"""Where an issuer's keys come from, and how they are kept fresh: a JWK Set at a URL or in a file."""

import asyncio
import random
from pathlib import Path
from typing import Final

import aiohttp

from shared.telemetry import logger
from shared.verify_key import KeysUnreadable, VerifyKey, VerifyKeys

MOST_BYTES: Final = 256 * 1024
FETCH_TIMEOUT_S: Final = 5.0
UNKNOWN_KEY_S: Final = 30.0
"""How long keys that we don't know lead to no further fetch: whoever makes them up may not have us ask each time."""
_FIRST_PAUSE_S: Final = 1.0
log = logger("auth")


class KeySource:
    """Keys are kept when they can't be had anew: an identity provider that is away locks nobody out.

    `where` is an `https` URL (`http` on this machine), or a file. `refresh_s` lies between two fetches.
    """

    def __init__(self, where: str, refresh_s: float, *, unknown_key_s: float = UNKNOWN_KEY_S) -> None:
        self.where = where
        self._refresh_s = refresh_s
        self._unknown_key_s = unknown_key_s
        self._keys: VerifyKeys | None = None
        self._fetching: asyncio.Task[bool] | None = None
        self._asked_again_at = float("-inf")

    @property
    def known(self) -> bool:
        """Whether there are keys."""
        return self._keys is not None

    async def run(self) -> None:
        """Fetch, and fetch again, until cancelled; what goes wrong is logged, and tried again with growing pauses."""
        pause_s = _FIRST_PAUSE_S
        while True:
            if await self.fetch():
                pause_s = _FIRST_PAUSE_S
                # Many servers were started together.
                await asyncio.sleep(self._refresh_s * random.uniform(0.8, 1.2))  # noqa: S311 -- spreads load
            else:
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, self._refresh_s)

    async def find(self, kid: str | None, algorithm: str) -> VerifyKey | None:
        """The key that a token names; one that isn't known is looked for anew, now and then."""
        found = self._keys.find(kid, algorithm) if self._keys else None
        if found is not None:
            return found
        now = asyncio.get_running_loop().time()
        if self._fetching is None:
            if now - self._asked_again_at < self._unknown_key_s:
                return None
            self._asked_again_at = now
        await self.fetch()
        return self._keys.find(kid, algorithm) if self._keys else None

    async def fetch(self) -> bool:
        """Get the keys now, once for all who ask at the same time; whether it went well."""
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._fetch())
            self._fetching.add_done_callback(self._fetched)
        # Whoever gives up waiting takes it from nobody else.
        return await asyncio.shield(self._fetching)

    def _fetched(self, _: "asyncio.Task[bool]") -> None:
        self._fetching = None

    async def _fetch(self) -> bool:
        try:
            async with asyncio.timeout(FETCH_TIMEOUT_S):
                document = await self._read()
            self._keys = VerifyKeys.of_set(document)
        except (KeysUnreadable, aiohttp.ClientError, OSError, TimeoutError) as error:
            log.warning("keys can't be had", where=self.where, error=repr(error), kept=self.known)
            return False
        return True

    async def _read(self) -> bytes:
        if "://" not in self.where:
            return await asyncio.to_thread(_read_file, Path(self.where))
        async with (
            aiohttp.ClientSession(auto_decompress=False) as session,
            session.get(self.where, allow_redirects=False, headers={"Accept-Encoding": "identity"}) as answer,
        ):
            if answer.status != 200:  # noqa: PLR2004 -- 200 is 200
                raise KeysUnreadable(f"the answer is {answer.status}")
            return await _at_most(answer.content)


async def _at_most(content: aiohttp.StreamReader) -> bytes:
    document = b""
    while piece := await content.readany():
        document += piece
        if len(document) > MOST_BYTES:
            raise KeysUnreadable(f"it has more than {MOST_BYTES} bytes")
    return document


def _read_file(path: Path) -> bytes:
    with path.open("rb") as file:
        document = file.read(MOST_BYTES + 1)
    if len(document) > MOST_BYTES:
        raise KeysUnreadable(f"it has more than {MOST_BYTES} bytes")
    return document
