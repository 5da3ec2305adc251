"""Refusals and failures as HTTP answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import orjson
import pytest
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import Message
from starlette.websockets import WebSocket

from shared.answers import problem_app, problem_of, problem_response
from shared.problem import Problem
from shared.serving import Listener


async def refuse(request: Request) -> Response:
    raise Problem("expired", "too old", cursor="abc", headers={"X-Extra": "1"})


async def fail(request: Request) -> Response:
    raise RuntimeError("secret words")


async def fail_late(request: Request) -> Response:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"first"
        raise RuntimeError("late")

    return StreamingResponse(chunks())


async def refuse_socket(socket: WebSocket) -> None:
    raise Problem("forbidden", "not you")


APP = problem_app(
    [
        Route("/refuse", refuse),
        Route("/fail", fail),
        Route("/late", fail_late),
        WebSocketRoute("/socket", refuse_socket),
    ]
)


@asynccontextmanager
async def serving() -> AsyncIterator[aiohttp.ClientSession]:
    listener = Listener(APP, host="127.0.0.1", port=0, http="httptools", ws="websockets-sansio")
    await listener.start()
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{listener.port}") as session:
            yield session
    finally:
        await listener.stop(1)


async def test_a_problem_becomes_its_answer() -> None:
    async with serving() as session, session.get("/refuse") as answer:
        document = orjson.loads(await answer.read())
    assert (answer.status, answer.content_type) == (410, "application/problem+json")
    assert (document["code"], document["cursor"], document["status"]) == ("expired", "abc", 410)
    assert answer.headers["X-Extra"] == "1"


async def test_head_is_answered_as_get_without_the_body() -> None:
    async with serving() as session:
        async with session.get("/refuse") as got:
            size = len(await got.read())
        async with session.head("/refuse") as head:
            assert await head.read() == b""
    assert (head.status, head.headers["Content-Length"]) == (410, str(size))


async def test_an_unknown_path_and_a_wrong_method_are_problems() -> None:
    async with serving() as session:
        async with session.get("/nowhere") as lost:
            assert (lost.status, orjson.loads(await lost.read())["code"]) == (404, "not_found")
        async with session.post("/refuse") as wrong:
            assert (wrong.status, orjson.loads(await wrong.read())["code"]) == (405, "method_not_allowed")
    assert set(wrong.headers["Allow"].split(", ")) == {"GET", "HEAD"}


async def test_a_failure_says_nothing_of_itself_and_is_logged_once() -> None:
    with structlog.testing.capture_logs() as lines:
        async with serving() as session, session.get("/fail") as answer:
            text = await answer.text()
    assert (answer.status, orjson.loads(text)["code"]) == (500, "internal")
    assert "secret" not in text
    assert [line["event"] for line in lines] == ["request failed"]


async def test_a_failure_after_the_first_byte_cuts_the_connection() -> None:
    async with serving() as session:
        async with session.get("/late") as answer:
            with pytest.raises(aiohttp.ClientPayloadError):
                await answer.read()
        async with session.get("/refuse") as still:
            assert still.status == 410


async def test_a_handshake_is_refused_with_a_problem() -> None:
    async with serving() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect("/socket")
    assert refused.value.status == 403


async def test_a_client_that_left_is_no_failure() -> None:
    async def gone(request: Request) -> Response:
        raise ClientDisconnect

    async def receive() -> Message:
        raise AssertionError("nobody reads here")

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    with structlog.testing.capture_logs() as lines:
        await problem_app([Route("/", gone)])(scope, receive, send)
    assert (lines, sent) == ([], [])


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "invalid"),
        (404, "not_found"),
        (409, "invalid"),
        (413, "too_large"),
        (500, "internal"),
        (503, "unavailable"),
    ],
)
def test_a_refusal_of_the_framework_has_a_code_of_ours(status: int, code: str) -> None:
    assert problem_of(HTTPException(status)).code == code


def test_the_answer_has_the_length_of_its_body() -> None:
    answer = problem_response(Problem("invalid", "no"))
    assert answer.headers["Content-Length"] == str(len(answer.body))
