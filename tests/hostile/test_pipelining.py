"""Requests that don't wait for answers: how many are taken in, who is told that the client left, what comes first."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.types import Receive, Scope, Send

from services.pushserver.handoff import HandOffHttp
from shared.http1 import MOST_WAITING, Http1
from shared.serving import Listener
from tests.hostile.http_answers import Answer, read_answers
from tests.support.fed_server import FedServer
from tests.support.server import HOST, RawClient, eventually

CLASSES = [Http1, HandOffHttp]


def get(path: bytes) -> bytes:
    return b"GET %b HTTP/1.1\r\nHost: here\r\n\r\n" % path


class Slow:
    """An ASGI app that answers `/slow` when it is told to, and everything else at once, with the path."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.left: list[str] = []
        self.go = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.append(scope["path"])
        if scope["path"] == "/slow":
            await self.go.wait()
        elif scope["path"] == "/watch":
            while (await receive())["type"] != "http.disconnect":
                continue
            self.left.append(scope["path"])
        body = scope["path"].encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def served(protocol: type[Http1]) -> AsyncIterator[tuple[Slow, RawClient]]:
    app = Slow()
    listener = Listener(app, host=HOST, port=0, http=protocol)
    await listener.start()
    client = await RawClient.connect(listener.port)
    try:
        yield app, client
    finally:
        app.go.set()
        await client.close()
        await listener.stop(0.1)


def told(answers: list[Answer]) -> list[str]:
    return [answer.body.decode() for answer in answers]


@pytest.mark.parametrize("protocol", CLASSES)
async def test_whoever_is_answered_is_told_that_the_client_left(protocol: type[Http1]) -> None:
    async with served(protocol) as (app, client):
        client.send(get(b"/watch") + get(b"/behind"))
        await eventually(lambda: app.asked, "it is asked")
        await client.close()
        await eventually(lambda: app.left, "it is told")
        assert app.asked == ["/watch"], "nobody is there for the second answer"


@pytest.mark.parametrize("protocol", CLASSES)
async def test_many_requests_at_once_are_answered_up_to_a_bound_that_the_last_answer_tells(
    protocol: type[Http1],
) -> None:
    async with served(protocol) as (app, client):
        client.send(get(b"/slow") + b"".join(get(b"/%d" % number) for number in range(2000)))
        await eventually(lambda: app.asked, "it is asked")
        app.go.set()
        answers = read_answers(await client.rest())
        assert told(answers) == ["/slow", *(f"/{number}" for number in range(MOST_WAITING))]
        assert [bool(answer.header("connection")) for answer in answers] == [False] * MOST_WAITING + [True]


@pytest.mark.parametrize("protocol", CLASSES)
async def test_as_many_as_the_bound_leave_the_connection_open(protocol: type[Http1]) -> None:
    async with served(protocol) as (app, client):
        client.send(get(b"/slow") + b"".join(get(b"/%d" % number) for number in range(MOST_WAITING)))
        await eventually(lambda: app.asked, "it is asked")
        app.go.set()
        await client.until(b"\r\n\r\n/%d" % (MOST_WAITING - 1))
        client.send(get(b"/more"))
        assert (await client.until(b"/more")).endswith(b"\r\n\r\n/more")


@pytest.mark.parametrize("protocol", CLASSES)
async def test_what_is_no_http_is_refused_behind_the_answers_that_are_owed(protocol: type[Http1]) -> None:
    async with served(protocol) as (app, client):
        client.send(get(b"/slow") + b"\0\r\n\r\n")
        await eventually(lambda: app.asked, "it is asked")
        app.go.set()
        (answer,) = read_answers(await client.rest())
        assert (told([answer]), answer.header("connection")) == (["/slow"], "close")


@pytest.mark.parametrize("protocol", CLASSES)
async def test_what_is_no_http_is_refused_with_a_problem(protocol: type[Http1]) -> None:
    async with served(protocol) as (_, client):
        client.send(b"\0\r\n\r\n")
        (answer,) = read_answers(await client.rest())
        assert (answer.status, answer.header("content-type")) == (400, "application/problem+json")


@pytest.mark.parametrize("protocol", CLASSES)
async def test_another_protocol_is_not_spoken_and_what_follows_is_another_request(protocol: type[Http1]) -> None:
    async with served(protocol) as (_, client):
        asked = get(b"/one").replace(b"\r\n\r\n", b"\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
        client.send(asked + get(b"/two").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert told(read_answers(await client.rest())) == ["/one", "/two"]


async def test_a_poll_with_a_request_behind_it_is_forgotten_when_the_client_leaves(fed: FedServer) -> None:
    client = await RawClient.connect(fed.port)
    client.send(get(b"/v1/items/poll?snapshot=false"))
    cursor = re.search(rb'"cursor":"([^"]+)"', await client.until(b"}"))
    assert cursor
    client.send(get(b"/v1/items/poll?wait=60&cursor=" + cursor[1]) + get(b"/v1/items"))
    await eventually(lambda: fed.subscribers, "it watches")
    await client.close()
    await eventually(lambda: not fed.subscribers, "the server has forgotten it", within_s=5)
