"""A live connection and its token: renewed where it is, narrowed, and ended with it."""

import asyncio
import base64
import time
from dataclasses import replace
from typing import Any

import aiohttp
import orjson
import pytest

from shared.problem import Problem
from tests.access.asking import Route, ask
from tests.access.conftest import Served, serving
from tests.access.connected import WITHIN_S, event, opened
from tests.access.identity import Identity
from tests.access.matrix import carry
from tests.support.server import HOST, eventually

SCOPE = "watch:items/* publish:items/mine"


async def test_a_watch_that_is_not_granted_is_refused_and_the_others_go_on(identity: Identity, served: Served) -> None:
    async with opened(served, identity.token("watch:items/mine")) as socket:
        refused = await socket.op(op="subscribe", watch="items/hers")
        assert (refused["event"], refused["code"], refused["watch"]) == ("problem", "forbidden", "items/hers")
        wide = await socket.op(op="subscribe", watch="items", prefix="min")
        assert wide["code"] == "forbidden"
        assert (await socket.op(op="subscribe", watch="items/mine"))["event"] == "ack"
        assert (await socket.until(event("put")))["resource"] == "items/mine"
        writing = await socket.op(op="publish", resource="items/mine", data=1)
        assert writing["code"] == "forbidden"


async def test_a_cursor_widens_nothing(identity: Identity, served: Served) -> None:
    async with opened(served, identity.token("watch:*"), "/v1/items/ws") as socket:
        cursor = (await socket.until(event("synced")))["cursor"]
    async with opened(served, identity.token("watch:items/mine")) as socket:
        refused = await socket.op(op="subscribe", watch="items", cursor=cursor)
        assert refused["code"] == "forbidden"
    headers = carry("header", identity.token("watch:items/mine")).headers
    for target in ("/v1/items/poll", "/v1/watch/poll?resource=items", "/v1/items/stream"):
        query = f"cursor={cursor}"
        assert (await ask(served.port, Route("GET", target), headers, query)).status == 403


async def test_a_newer_token_is_taken_in_place(identity: Identity, served: Served) -> None:
    async with opened(served, identity.token("watch:items/mine", exp=int(time.time()) + 2)) as socket:
        assert (await socket.op(op="subscribe", watch="items/mine"))["event"] == "ack"
        assert (await socket.until(event("auth")))["expires_in_ms"] <= 2000
        assert (await socket.op(op="auth", token=identity.token(SCOPE)))["event"] == "ack"
        assert (await socket.op(op="subscribe", watch="items/hers"))["event"] == "ack"
        guard = served.server.reception.guard
        assert len(guard) == 1
        guard.look()
        assert (await socket.op(op="ping"))["event"] == "pong"


async def test_a_narrower_token_ends_the_watches_that_it_does_not_cover(identity: Identity, served: Served) -> None:
    async with opened(served, identity.token(SCOPE), "/v1/items/ws") as socket:
        await socket.until(event("synced"))
        await socket.op(op="subscribe", watch="items/mine")
        renewed = asyncio.create_task(socket.until(lambda frame: frame.get("code") == "forbidden"))
        await socket.say(op="auth", token=identity.token("watch:items/mine"))
        assert (await renewed)["watch"] == "items"
        await socket.until(event("ack"))
        served.write("hers", b'"after"')
        served.write("mine", b'"after"')
        assert (await socket.until(event("put")))["resource"] == "items/mine"


@pytest.mark.parametrize("kind", ["wrong key", "expired", "alg none", "garbage"])
async def test_a_bad_token_changes_nothing(kind: str, identity: Identity, served: Served) -> None:
    async with opened(served, identity.token("watch:items/mine"), "/v1/items/mine") as socket:
        refused = await socket.op(op="auth", token=identity.bad("watch:*")[kind])
        assert refused["code"] in {"unauthenticated", "token_expired"}
        served.write("mine", b'"still"')
        await socket.until(lambda frame: frame.get("data") == "still")


async def test_a_token_of_somebody_else_is_refused(identity: Identity, served: Served) -> None:
    async with opened(served, identity.token("watch:items/mine")) as socket:
        refused = await socket.op(op="auth", token=identity.token("watch:*", sub="bob"))
        assert refused["code"] == "forbidden"
        assert (await socket.op(op="subscribe", watch="items"))["code"] == "forbidden"


async def test_who_came_without_a_token_may_show_one_later(identity: Identity, served: Served) -> None:
    async with opened(served, None) as socket:
        assert (await socket.op(op="subscribe", watch="open"))["event"] == "ack"
        assert (await socket.op(op="subscribe", watch="items"))["code"] == "unauthenticated"
        assert (await socket.op(op="auth", token=identity.token(SCOPE)))["event"] == "ack"
        assert (await socket.op(op="subscribe", watch="items"))["event"] == "ack"


async def test_every_transport_ends_with_the_token(identity: Identity) -> None:
    async with serving(identity.auth) as served:
        token = identity.token("watch:*", exp=int(time.time()) + 2)
        headers = carry("header", token).headers
        url = f"http://{HOST}:{served.port}/v1/items"
        async with (
            opened(served, token, "/v1/items/ws") as socket,
            aiohttp.ClientSession(headers=headers) as session,
            session.get(f"{url}/stream") as stream,
        ):
            first = orjson.loads(await (await session.get(f"{url}/poll")).read())
            polled = asyncio.create_task(_poll(session, f"{url}/poll?cursor={first['cursor']}"))
            text = await asyncio.wait_for(stream.text(), WITHIN_S)
            assert await socket.closed() == 4401
            answer = await polled
        assert time.time() <= orjson.loads(_claims(token))["exp"] + 1.5
        assert text.rstrip().endswith(f'"retry":false,"cursor":"{answer["cursor"]}"}}')
        assert "retry: 100" in text
        assert [frame["code"] for frame in answer["frames"]] == ["token_expired"]
        await eventually(lambda: not len(served.server.reception.guard), "nobody is known any more")
        assert served.server.hub.counters.closed["token_expired"] == 3


async def test_who_had_to_wait_is_asked_again_whether_the_token_still_is_good(
    identity: Identity, served: Served
) -> None:
    gate = served.server.gate
    principal = await gate.verify(identity.token("watch:*"))
    gate.check(replace(principal, expires_at=time.time() - identity.auth.leeway_s / 2))
    with pytest.raises(Problem, match="token_expired"):
        gate.check(replace(principal, expires_at=time.time() - identity.auth.leeway_s - 1))


async def _poll(session: aiohttp.ClientSession, url: str) -> Any:
    async with session.get(url) as answer:
        return orjson.loads(await answer.read())


def _claims(token: str) -> bytes:
    part = token.split(".")[1]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
