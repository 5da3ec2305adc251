"""The audit of running services, against the schema that others import it by: docs/audit.schema.json."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, get_args

import jsonschema_rs
import pytest

from infra.cluster.deadline import until
from infra.cluster.process import ROOT
from infra.cluster.service import Service
from shared.audit import Decision
from tests.access.asking import Route, ask
from tests.access.connected import opened
from tests.access.identity import LEEWAY_S, Identity
from tests.access.matrix import carry
from tests.support.client import Http
from tests.support.fleet import free_port

SCHEMA = json.loads((ROOT / "docs/audit.schema.json").read_text())
VALIDATOR = jsonschema_rs.Draft202012Validator(SCHEMA, validate_formats=True)
CONFIG = """
[kafka]
bootstrap = "127.0.0.1:{port}"
[auth]
mode = "jwt"
leeway_s = {leeway}
[auth.issuers.main]
issuer = "{issuer.issuer}"
audience = "{issuer.audience}"
jwks = "{issuer.jwks}"
[pushserver]
max_connections_per_principal = 1
[collections.items]
"""


@pytest.fixture
def own(tmp_path: Path) -> Identity:
    return Identity(tmp_path)


@asynccontextmanager
async def running(kind: str, folder: Path, identity: Identity) -> AsyncIterator[Service]:
    """A service whose Kafka is away: who may come in is decided before."""
    config = folder / "watchroute.toml"
    issuer = identity.auth.issuers["main"]
    config.write_text(CONFIG.format(port=free_port(), leeway=LEEWAY_S, issuer=issuer))
    service = Service(kind, folder, config, {})
    service.launch()

    async def lives() -> bool:
        try:
            async with Http(service.admin_url) as admin:
                return (await admin.get("/livez")).status == 200
        except OSError:
            return False

    try:
        await until(lives, "it listens")
        yield service
    finally:
        await service.shut()


async def audited(service: Service, *decisions: str) -> list[dict[str, Any]]:
    """The lines, once there is one of each of these decisions; every one is as the schema has it."""

    async def found() -> list[dict[str, Any]]:
        read = [json.loads(line) for line in service.log.read_bytes().splitlines() if line.endswith(b"}")]
        lines = [line for line in read if line.get("component") == "audit"]
        return lines if {line["decision"] for line in lines} >= set(decisions) else []

    lines = await until(found, f"there are lines of {decisions}")
    for line in lines:
        VALIDATOR.validate(line)
    return lines


async def test_every_decision_of_a_push_server_is_a_line_of_the_schema(own: Identity, tmp_path: Path) -> None:
    headers = carry("header", own.token("watch:*", jti="too many")).headers
    async with running("pushserver", tmp_path, own) as service:
        assert (await ask(service.port, Route("GET", "/v1/items/mine"), {})).status == 401
        short = own.token("watch:*", jti="first", exp=int(time.time()) + 3)
        async with opened(service, short) as socket:
            await socket.op(op="auth", token=own.token("watch:*", jti="second", exp=int(time.time()) + 3))
            assert await socket.closed() == 4401
        async with opened(service, own.token("watch:*", jti="third")):
            refused = await ask(service.port, Route("GET", "/v1/watch/ws", upgrade=True), headers)
            assert refused.status == 429
        lines = await audited(service, "accepted", "refused", "limited", "renewed", "expired", "closed")
    said = {(line["decision"], line["sub"], line["jti"], line["reason"]) for line in lines}
    assert said == {
        ("refused", None, None, "unauthenticated"),
        ("accepted", "ann", "first", None),
        ("renewed", "ann", "second", None),
        ("expired", "ann", "second", "token_expired"),
        ("accepted", "ann", "third", None),
        ("accepted", "ann", "too many", None),
        ("limited", "ann", "too many", "connections_per_principal"),
        ("closed", "ann", "third", "client_closed"),
    }


async def test_every_decision_of_a_producer_is_a_line_of_the_schema(own: Identity, tmp_path: Path) -> None:
    route = Route("PUT", "/v1/items/mine", body=b"1")
    headers = {**carry("header", own.token("publish:items/mine", jti="w")).headers, "X-Request-Id": "r" * 300}
    async with running("producer", tmp_path, own) as service:
        assert (await ask(service.port, route, {})).status == 401
        writing = asyncio.create_task(ask(service.port, route, headers))
        lines = await audited(service, "accepted", "refused")
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
    assert [(line["decision"], line["sub"], line["resource"], line["reason"]) for line in lines] == [
        ("refused", None, "items/mine", "unauthenticated"),
        ("accepted", "ann", "items/mine", None),
    ]
    assert lines[1]["request_id"] == "r" * 256


def test_the_schema_knows_every_decision() -> None:
    named = SCHEMA["properties"]["decision"]["oneOf"]
    assert {each["const"] for each in named} == set(get_args(Decision))


LINE = json.loads("""{
    "event": "audit", "component": "audit", "level": "info", "timestamp": "2026-11-28T22:00:00.000001Z",
    "decision": "refused", "sub": "ann", "jti": null, "address": "192.0.2.7", "resource": "items/a",
    "request_id": null, "reason": "forbidden", "left_out": 0
}""")


@pytest.mark.parametrize(
    "change",
    [
        {"decision": "guessed"},
        {"reason": None},
        {"decision": "accepted"},
        {"token": "x"},
        {"sub": ""},
        {"left_out": -1},
        {"timestamp": "yesterday"},
        {"address": 7},
    ],
)
def test_the_schema_is_narrow(change: dict[str, Any]) -> None:
    VALIDATOR.validate(LINE)
    assert not VALIDATOR.is_valid({**LINE, **change})
