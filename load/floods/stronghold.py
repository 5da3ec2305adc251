"""The push server that is attacked, its watchers, and what is published to them."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import aiohttp
import jwt
from prometheus_client.parser import text_string_to_metric_families

from load.bench.cores import SERVER_CORE
from load.bench.ground import Ground
from load.bench.plan import Plan, numbered
from load.bench.publisher import Publisher, publishing
from load.bench.server import Server, serving
from load.bench.watchers import Group, watching
from tests.support.broker import Broker

_ISSUER: Final = "https://development.localhost"
_AUDIENCE: Final = "watchroute"
_PER_S: Final = 20
_BUSY_PER_S: Final = 200
_BUSY_IDS: Final = 100
_SAMPLED: Final = 5
_FAMILIES: Final = ("watchroute_refused", "watchroute_turned_away", "watchroute_limited", "watchroute_closed")


class Latency(NamedTuple):
    """How long changes were on their way, in milliseconds: of the slower transport."""

    p50_ms: float
    p99_ms: float


class Stronghold:
    """`watchers` over both transports of one resource that changes 20 times a second; another collection is busy."""

    def __init__(self, server: Server, ground: Ground, publisher: Publisher, groups: list[Group], token: str) -> None:
        self.server = server
        self.token = token
        self._ground = ground
        self._publisher = publisher
        self._groups = groups

    @property
    def watchers(self) -> int:
        """How many healthy ones there are."""
        return sum(group.opened["synced"] for group in self._groups)

    async def watching(self) -> int:
        """How many watchers the server has, whoever they are."""
        return int((await self.server.totals())["connections"])

    async def measure(self, seconds: float) -> Latency:
        """Publish for so long, and see when everybody has it; raises Broken when somebody loses its connection."""
        plan = Plan(["R0"], max(1, round(seconds * _PER_S)))
        for group in self._groups:
            await group.begin()
        busy = asyncio.create_task(self._keep_busy(seconds))
        await self._publisher.paced(self._ground.topic("calm"), plan, _PER_S)
        for group in self._groups:
            await group.wait(group.opened["synced"])
        await busy
        judged = [await group.judge() for group in self._groups]
        return Latency(max(one["p50_ms"] for one in judged), max(one["p99_ms"] for one in judged))

    async def _keep_busy(self, seconds: float) -> None:
        plan = Plan(numbered(_BUSY_IDS), max(1, round(seconds * _BUSY_PER_S)))
        await self._publisher.paced(self._ground.topic("busy"), plan, _BUSY_PER_S)

    async def refused(self) -> Mapping[str, float]:
        """Totals of what the server has refused, turned away, limited and closed, by the word of its metrics."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.server.service.admin_url}/metrics") as answer,
        ):
            text = await answer.text()
        return {
            next(iter(sample.labels.values())): sample.value
            for family in text_string_to_metric_families(text)
            if family.name in _FAMILIES
            for sample in family.samples
        }


@asynccontextmanager
async def stronghold(broker: Broker, folder: Path, watchers: int, **settings: Any) -> AsyncIterator[Stronghold]:
    """A push server that asks for tokens; who watches needs none, and an attacker is given a good one."""
    secret = folder / "secret"
    secret.write_text(secrets.token_urlsafe(48))
    ground = Ground(broker, folder, ["calm", "busy"], SERVER_CORE, auth=_auth(secret))
    await ground.make()
    async with publishing(broker.bootstrap) as publisher, serving(ground, **settings) as server, watching() as crowd:
        await publisher.at_once(ground.topic("calm"), Plan(["R0"], 1), last=False)
        await publisher.at_once(ground.topic("busy"), Plan(numbered(_BUSY_IDS), _BUSY_IDS), last=False)
        groups = [
            await crowd.open(server.port, kind, f"/v1/calm/R0/{path}", watchers // 2, sample_every=_SAMPLED)
            for kind, path in (("ws", "ws"), ("sse", "stream"))
        ]
        yield Stronghold(server, ground, publisher, groups, _token(secret))


def _auth(secret: Path) -> list[str]:
    return [
        'mode = "jwt"',
        "development = true",
        "[auth.issuers.development]",
        f'issuer = "{_ISSUER}"',
        f'audience = "{_AUDIENCE}"',
        f'secret_file = "{secret}"',
    ]


def _token(secret: Path) -> str:
    claims = {"iss": _ISSUER, "aud": _AUDIENCE, "sub": "mallory", "exp": int(time.time()) + 86_400}
    return jwt.encode({**claims, "scope": "watch:calm/*"}, secret.read_bytes(), "HS256")
