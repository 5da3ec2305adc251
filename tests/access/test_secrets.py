"""No token and no ticket is in anything that the services say: logs, metrics, errors."""

import os
import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest

from infra.cluster.deadline import until
from infra.cluster.process import ROOT
from infra.cluster.service import Service
from tests.access.asking import Asked, Route, ask
from tests.access.identity import Identity
from tests.access.matrix import CARRIERS, READS, WRONG, carry
from tests.support.client import Http
from tests.support.fleet import free_port

CONFIG = """
[kafka]
bootstrap = "127.0.0.1:{port}"
[log]
level = "debug"
[auth]
mode = "jwt"
cookie = "{auth.cookie}"
token_in_query = true
[auth.issuers.main]
issuer = "{issuer.issuer}"
audience = "{issuer.audience}"
jwks = "{issuer.jwks}"
[collections.items]
[collections.open]
public = true
"""


@pytest.mark.parametrize("name", ["pushserver", "producer"])
async def test_what_is_shown_is_nowhere_in_what_a_service_says(name: str, tmp_path: Path) -> None:
    identity = Identity(tmp_path)
    config = tmp_path / "watchroute.toml"
    config.write_text(CONFIG.format(port=free_port(), auth=identity.auth, issuer=identity.auth.issuers["main"]))
    service = Service(name, tmp_path, config, {})
    service.launch()
    said, secrets = b"", list[str]()
    try:
        await until(lambda: _lives(service), "it listens")
        for scope in ("watch:* publish:*", "watch:nothing"):
            good = {"good": identity.token(scope, jti=str(time.time()))}
            for kind, token in {**good, **identity.bad(scope)}.items():
                for carrier in CARRIERS:
                    secrets.append(token)
                    said += await _everything(service.port, carrier, token)
                    assert kind == "good" or kind in WRONG
        if name == "pushserver":
            route = Route("POST", "/v1/tickets", body=b'{"watches":["items/mine"]}')
            ticket = await _ticket(service.port, route, identity.token("watch:*"))
            secrets.append(ticket)
            said += (await ask(service.port, READS["stream"][0], {}, f"ticket={ticket}")).body
        async with Http(service.admin_url) as admin:
            said += (await admin.get("/metrics")).body
    finally:
        await service.shut()
    said += service.log.read_bytes()
    assert b"listening" in said
    for secret in secrets:
        for part in {secret, *secret.split(".")[1:]} - {"", "b", "c"}:
            assert part.encode() not in said


async def _lives(service: Service) -> bool:
    try:
        async with Http(service.admin_url) as admin:
            return (await admin.get("/livez")).status == 200
    except OSError:
        return False


async def _ticket(port: int, route: Route, token: str) -> str:
    answers: list[Asked] = []

    async def given() -> bool:
        answers.append(await ask(port, route, carry("header", token).headers))
        return answers[-1].status == 200

    await until(given, "the keys are known, and a ticket is given")
    ticket: str = orjson.loads(answers[-1].body)["ticket"]
    return ticket


async def _everything(port: int, carrier: str, token: str) -> bytes:
    """What is answered to requests of several kinds, good and bad ones."""
    said = b""
    carried = carry(carrier, token)
    routes = (
        READS["get"][0],
        READS["socket"][0],
        Route("GET", "/v1/items/mine?nonsense=1"),
        Route("GET", "/v1/nothing"),
        Route("PUT", "/v1/items/mine", body=b"{"),
        Route("BREW", "/v1/items/mine"),
    )
    for route in routes:
        answer = await ask(port, route, carried.headers, carried.query)
        said += answer.head.encode() + answer.body
    return said


REFUSED = {
    "no mode": ("", "auth.mode"),
    "none for everybody": ('[auth]\nmode = "none"\n[{table}]\nhost = "0.0.0.0"\n', "anyone = true"),
    "jwt without an issuer": ('[auth]\nmode = "jwt"\n', "needs an issuer"),
    "an unknown mode": ('[auth]\nmode = "basic"\n', "auth.mode"),
}


@pytest.mark.parametrize(("text", "says"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("name", ["pushserver", "producer"])
def test_a_service_does_not_start_until_it_is_said_who_may_come_in(
    name: str, text: str, says: str, tmp_path: Path
) -> None:
    config = tmp_path / "watchroute.toml"
    config.write_text(text.format(table=name))
    ended = subprocess.run(
        [sys.executable, "-m", f"services.{name}"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "WATCHROUTE_CONFIG": str(config)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 1
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr
