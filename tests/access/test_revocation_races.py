"""Tokens that are revoked while what they asked for is under way."""

import asyncio
import math
from pathlib import Path

import orjson
import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from shared.grants import Grants
from shared.principal import Principal
from tests.access.asking import Route, ask
from tests.access.matrix import carry
from tests.access.revoking import Scene, is_refused, prepared, shown, until_applied
from tests.support.broker import Broker
from tests.support.server import RawClient, eventually, lagging
from tests.support.topics import Topics

pytestmark = pytest.mark.real_kafka
ANN = Principal("ann", math.inf, Grants([]))
LARGE = "x" * 500_000
MANY = 40


@pytest_asyncio.fixture(loop_scope="session")
async def scene(broker: Broker, topics: Topics, tmp_path: Path) -> Scene:
    return await prepared(broker, topics, tmp_path)


@pytest.mark.parametrize(
    "route",
    [
        Route("GET", "/v1/items/stream", streams=True),
        Route("GET", "/v1/items/ws", upgrade=True),
        Route("GET", "/v1/items/poll"),
        Route("GET", "/v1/items/a"),
        Route("GET", "/v1/items"),
        Route("GET", "/v1/items", "application/x-ndjson"),
    ],
    ids=lambda route: f"{route.target} {route.accept}",
)
async def test_who_waits_for_a_server_to_catch_up_is_not_let_in(route: Route, scene: Scene) -> None:
    ann = scene.identity.token("watch:*")
    async with scene.server() as ahead, scene.server(catch_up_s=50) as behind:
        async with lagging(behind.server):
            await scene.put("a", "second")
            channel = ahead.server.hub.channels["items"]
            await eventually(lambda: channel.positions[0] == 2, "the other one has read it")
            cursor = orjson.loads((await shown(ahead, ann, Route("GET", "/v1/items/poll"))).body)["cursor"]
            headers = carry("header", ann).headers
            with capture_logs() as said:
                waiting = asyncio.create_task(ask(behind.port, route, headers, f"at_least={cursor}"))
                await eventually(lambda: [line for line in said if line.get("decision") == "accepted"], "it waits")
            await scene.say("sub:ann")
            await until_applied(ANN, behind)
            assert not waiting.done()
        with capture_logs() as said:
            answer = await waiting
        assert is_refused(answer)
        assert b"second" not in answer.body
        assert [(line["sub"], line["reason"]) for line in said if line.get("decision") == "refused"] == [
            ("ann", "unauthenticated")
        ]


async def test_who_waits_for_a_change_is_not_told_it(scene: Scene) -> None:
    headers = carry("header", scene.identity.token("watch:*")).headers
    async with scene.server() as server:
        first = await ask(server.port, Route("GET", "/v1/items/a"), headers)
        (tag,) = [line.partition(": ")[2] for line in first.head.split("\r\n") if line.lower().startswith("etag: ")]
        held = {**headers, "If-None-Match": tag, "Prefer": "wait=50"}
        waiting = asyncio.create_task(ask(server.port, Route("GET", "/v1/items/a"), held))
        await eventually(lambda: len(server.server.reception.guard), "it waits")
        await scene.say("sub:ann")
        assert is_refused(await waiting)


async def test_a_listing_that_is_read_slowly_ends_with_a_problem(scene: Scene) -> None:
    for number in range(MANY):
        await scene.put(f"{number}", LARGE)
    head = "GET /v1/items HTTP/1.1\r\nHost: x\r\nAccept: application/x-ndjson\r\nConnection: close\r\n"
    async with scene.server() as server:
        client = await RawClient.connect(server.port)
        client.send(f"{head}Authorization: Bearer {scene.identity.token('watch:*')}\r\n\r\n".encode())
        await client.until(b"first")
        await scene.say("sub:ann")
        await until_applied(ANN, server)
        await scene.put("after", "it was revoked")
        await eventually(lambda: server.server.hub.channels["items"].positions[0] == MANY + 2, "it is read")
        rest = await client.rest()
        await client.close()
    assert b"it was revoked" not in rest
    assert rest.count(b'"put"') < MANY
    assert b'{"event":"problem","code":"unauthenticated"' in rest
    assert rest.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("line", ["PUT /v1/items/mine", "POST /v1/items"])
async def test_a_write_whose_body_is_still_to_come_is_not_done(line: str, scene: Scene) -> None:
    body = b'[{"id":"mine","data":1}]'
    token = scene.identity.token("publish:*")
    head = f"{line} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    async with scene.producer() as producer:
        client = await RawClient.connect(producer.port)
        client.send(f"{head}Authorization: Bearer {token}\r\nExpect: 100-continue\r\n\r\n".encode(), body[:5])
        # It says so once it reads, which is after the token was verified.
        await client.until(b"100 Continue\r\n\r\n")
        await scene.say("sub:ann")
        log = producer.gate.revocations
        await eventually(lambda: log and len(log.held), "the producer knows it")
        client.send(body[5:])
        assert b"401" in await client.until(b"\r\n\r\n")
        await client.close()
        assert producer.publisher.writes == []
