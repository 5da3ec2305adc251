"""How much one principal, and one address, may do: each limit, its code, what counts it, and that others go on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from services.pushserver.transports.reception import MOST_BODIES
from tests.access.asking import Asked, Route, ask
from tests.access.conftest import Served, serving, writing
from tests.access.connected import WITHIN_S, opened
from tests.access.identity import Identity
from tests.access.matrix import carry
from tests.support.server import HOST, eventually

STREAM = Route("GET", "/v1/items/stream", streams=True)
POLL = Route("GET", "/v1/items/poll")
SOCKET = Route("GET", "/v1/items/ws", upgrade=True, streams=True)
SCOPE = "watch:* publish:*"


@asynccontextmanager
async def limited(identity: Identity, **settings: Any) -> AsyncIterator[Served]:
    async with serving(identity.auth, **settings) as served:
        yield served


def said(answer: Asked) -> tuple[int, str, str]:
    return answer.status, answer.code, orjson.loads(answer.body).get("limit", "")


def of(identity: Identity, sub: str = "ann") -> dict[str, str]:
    return dict(carry("header", identity.token(SCOPE, sub=sub)).headers)


@pytest.mark.parametrize("route", [STREAM, POLL, SOCKET], ids=lambda route: route.target)
async def test_a_principal_has_so_many_connections_of_whatever_kind(route: Route, identity: Identity) -> None:
    async with limited(identity, max_connections_per_principal=2) as served, AsyncExitStack() as stack:
        token = identity.token(SCOPE)
        first = await stack.enter_async_context(opened(served, token))
        async with opened(served, token):
            with capture_logs() as captured:
                refused = await ask(served.port, route, of(identity))
            assert said(refused) == (429, "too_many_connections", "connections_per_principal")
            assert "retry-after" in refused.head.lower()
            assert (await ask(served.port, route, of(identity, "bob"))).status in {101, 200}
            assert (await first.op(op="ping"))["event"] == "pong"
        noted = [line for line in captured if line.get("decision") == "limited"]
        assert [(line["sub"], line["reason"]) for line in noted] == [("ann", "connections_per_principal")]
        assert served.server.hub.counters.limited == {"connections_per_principal": 1}
        await eventually(lambda: len(served.server.hub.wheel) == 1, "the others have left")
        assert (await ask(served.port, route, of(identity))).status in {101, 200}


async def test_an_address_has_so_many_connections_as_the_front_door_sees_it(identity: Identity) -> None:
    async with limited(identity, max_connections_per_address=1) as served:
        there, elsewhere = {"X-Forwarded-For": "1.1.1.1, 192.0.2.7"}, {"X-Forwarded-For": "192.0.2.7, 192.0.2.8"}
        async with opened(served, identity.token(SCOPE), more=there):
            refused = await ask(served.port, STREAM, of(identity, "bob") | there)
            assert said(refused) == (429, "too_many_connections", "connections_per_address")
            assert (await ask(served.port, STREAM, of(identity) | elsewhere)).status == 200


async def test_a_network_of_ipv6_is_one_address(identity: Identity) -> None:
    async with (
        limited(identity, max_connections_per_address=1) as served,
        opened(served, identity.token(SCOPE), more={"X-Forwarded-For": "2001:db8::1"}),
    ):
        refused = await ask(served.port, STREAM, of(identity) | {"X-Forwarded-For": "2001:db8::2:1"})
        assert refused.code == "too_many_connections"
        assert (await ask(served.port, STREAM, of(identity) | {"X-Forwarded-For": "2001:db8:1::1"})).status == 200


async def test_an_address_opens_so_many_watches_a_second(identity: Identity) -> None:
    async with limited(identity, handshakes_per_s=0.2) as served:
        there = {"X-Forwarded-For": "192.0.2.7"}
        assert [(await ask(served.port, SOCKET, of(identity) | there)).status for _ in range(3)] == [101, 101, 429]
        refused = await ask(served.port, STREAM, of(identity) | there)
        assert said(refused) == (429, "rate_limited", "handshakes")
        assert (await ask(served.port, STREAM, of(identity) | {"X-Forwarded-For": "192.0.2.8"})).status == 200
        assert (await ask(served.port, Route("GET", "/v1/items/mine"), of(identity) | there)).status == 200


async def test_so_many_long_polls_are_held(identity: Identity) -> None:
    async with limited(identity, max_polls=1) as served:
        cursor = orjson.loads((await ask(served.port, POLL, of(identity))).body)["cursor"]
        held = asyncio.create_task(ask(served.port, POLL, of(identity), f"cursor={cursor}"))
        await eventually(lambda: len(served.server.hub.wheel) == 1, "a poll is held")
        refused = await ask(served.port, POLL, of(identity, "bob"), f"cursor={cursor}")
        assert said(refused) == (429, "too_many_connections", "polls")
        served.write("mine", b'"new"')
        assert (await held).status == 200
        assert (await ask(served.port, POLL, of(identity))).status == 200


async def test_watches_of_all_connections_of_a_principal_count(identity: Identity) -> None:
    async with limited(identity, max_watches_per_principal=2) as served:
        token = identity.token(SCOPE)
        async with opened(served, token, "/v1/items/mine") as first, opened(served, token, "/v1/items/hers"):
            refused = await first.op(op="subscribe", watch="others/a")
            assert (refused["code"], refused["limit"]) == ("too_many_watches", "watches_per_principal")
            with capture_logs() as captured:
                answer = await ask(served.port, STREAM, of(identity))
            assert said(answer) == (429, "too_many_watches", "watches_per_principal")
            noted = [line["reason"] for line in captured if line.get("decision") == "limited"]
            assert noted == ["watches_per_principal"]
            assert len(served.server.hub.wheel) == 2
        await eventually(lambda: not len(served.server.hub.wheel), "all have left")
        assert len(served.server.reception.quota) == 0


async def test_a_token_shown_later_does_not_pass_the_limit(identity: Identity) -> None:
    async with (
        limited(identity, max_connections_per_principal=1) as served,
        opened(served, identity.token(SCOPE)),
        opened(served, None) as second,
    ):
        refused = await second.op(op="auth", token=identity.token(SCOPE))
        assert (refused["code"], refused["limit"]) == ("too_many_connections", "connections_per_principal")
        assert (await second.op(op="subscribe", watch="items"))["code"] == "unauthenticated"
        assert (await second.op(op="auth", token=identity.token(SCOPE, sub="bob")))["event"] == "ack"


async def test_messages_beyond_the_rate_are_refused_and_then_the_connection_ends(identity: Identity) -> None:
    async with (
        limited(identity, operations_per_s=0.001, operations_burst=3) as served,
        opened(served, identity.token(SCOPE)) as socket,
        opened(served, identity.token(SCOPE), "/v1/items/mine") as other,
    ):
        for _ in range(3):
            assert (await socket.op(op="ping"))["event"] == "pong"
        refused = await socket.op(op="subscribe", watch="items/mine")
        assert (refused["code"], refused["limit"]) == ("rate_limited", "operations")
        assert refused["retry_in_ms"] > 900_000
        for number in range(16):
            await socket.say(op="ping", ref=f"late {number}")
        last = await socket.until(lambda frame: frame.get("code") == "rate_limited" and "ref" not in frame)
        assert last["limit"] == "operations"
        assert await socket.closed() == 4429
        assert served.server.hub.counters.closed["rate_limited"] == 1
        served.write("mine", b'"still"')
        assert (await other.until(lambda frame: frame.get("data") == "still"))["event"] == "put"


async def test_pings_count_as_messages(identity: Identity) -> None:
    async with (
        limited(identity, operations_per_s=0.001, operations_burst=3) as served,
        opened(served, identity.token(SCOPE)) as socket,
    ):
        for _ in range(20):
            await socket.ping()
        assert await socket.closed() == 4429


async def test_nought_limits_no_messages(identity: Identity) -> None:
    async with (
        limited(identity, operations_per_s=0, operations_burst=1) as served,
        opened(served, identity.token(SCOPE)) as socket,
    ):
        for _ in range(50):
            assert (await socket.op(op="ping"))["event"] == "pong"


async def test_a_principal_writes_so_much_a_second(identity: Identity) -> None:
    put = Route("PUT", "/v1/items/a", body=b"1")
    post = Route("POST", "/v1/items", body=b'[{"id":"a","data":1},{"id":"b","data":1}]')
    async with writing(identity.auth, writes_per_s_per_principal=0.5) as written:
        with capture_logs() as captured:
            answers = [await ask(written.port, route, of(identity)) for route in (post, put, post)]
        assert [answer.status for answer in answers] == [200, 429, 429]
        assert said(answers[1]) == (429, "rate_limited", "writes_per_principal")
        noted = [line["reason"] for line in captured if line.get("decision") == "limited"]
        assert noted == ["writes_per_principal"] * 2
        assert len(written.publisher.writes) == 2
        assert (await ask(written.port, put, of(identity, "bob"))).status == 200


async def test_a_principal_writes_so_many_bytes_a_second(identity: Identity) -> None:
    large = Route("PUT", "/v1/items/a", body=orjson.dumps("x" * 5000))
    async with writing(identity.auth, bytes_per_s_per_principal=1000) as written:
        answers = [await ask(written.port, large, of(identity)) for _ in range(2)]
        assert [answer.status for answer in answers] == [200, 429]
        assert said(answers[1]) == (429, "rate_limited", "bytes_per_principal")
        wait_s = int(answers[1].head.lower().partition("retry-after: ")[2].partition("\r\n")[0])
        assert 3 <= wait_s <= 7
        assert (await ask(written.port, large, of(identity, "bob"))).status == 200


async def test_so_many_bodies_of_a_principal_are_on_their_way(identity: Identity, served: Served) -> None:
    body = b'{"watches":["items/mine"]}'
    ticket = Route("POST", "/v1/tickets", body=body)
    head = "".join(f"{name}: {text}\r\n" for name, text in of(identity).items())
    async with AsyncExitStack() as stack:
        for _ in range(MOST_BODIES):
            _, writer = await asyncio.open_connection(HOST, served.port)
            stack.callback(writer.close)
            writer.write(
                f"POST /v1/tickets HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n{head}\r\n".encode()
            )
        bodies = served.server.reception._bodies  # noqa: SLF001 -- nothing public says that a body is awaited
        await eventually(lambda: bodies["ann"] == MOST_BODIES, "all are awaited")
        refused = await ask(served.port, ticket, of(identity))
        assert said(refused) == (429, "rate_limited", "bodies_per_principal")
        assert (await ask(served.port, ticket, of(identity, "bob"))).status == 200
    await eventually(lambda: not bodies, "nobody's are awaited")
    assert (await ask(served.port, ticket, of(identity))).status == 200


async def test_one_attacker_takes_nothing_from_two_hundred_others(identity: Identity) -> None:
    async with limited(identity, max_connections_per_principal=3) as served, AsyncExitStack() as stack:
        others = [
            await stack.enter_async_context(opened(served, identity.token(SCOPE, sub=f"user {n}"), "/v1/items/mine"))
            for n in range(200)
        ]
        answers = [await stack.enter_async_context(opened(served, identity.token(SCOPE))) for _ in range(3)]
        refused = await asyncio.gather(*(ask(served.port, SOCKET, of(identity)) for _ in range(100)))
        assert {answer.status for answer in refused} == {429}
        served.write("mine", b'"for all"')
        async with asyncio.timeout(WITHIN_S):
            for other in others:
                await other.until(lambda frame: frame.get("data") == "for all")
        assert (await answers[0].op(op="ping"))["event"] == "pong"
