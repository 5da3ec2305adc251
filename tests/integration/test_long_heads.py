"""Clients of which nothing is known yet, and which send without end: heads, bodies and requests."""

import gc
from typing import Final

import pytest
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from tests.integration.strangers import HANDSHAKE, READ, STREAM, door, status
from tests.support.server import eventually

MOST: Final = 2048
MIB: Final = 1024 * 1024
CHUNKED: Final = READ[:-2] + b"Transfer-Encoding: chunked\r\n\r\n"


def longer(request: bytes, by: int) -> bytes:
    """The same with a field more."""
    return request[:-2] + b"x-long: " + b"x" * (by - 10) + b"\r\n\r\n"


LONG: Final = {
    "a value": b"GET / HTTP/1.1\r\nx: " + b"x" * 40_000,
    "a name": b"GET / HTTP/1.1\r\n" + b"x" * 40_000,
    "the address": b"GET /" + b"x" * 3000,
    "many fields": b"GET / HTTP/1.1\r\n" + (b"x: " + b"y" * 45 + b"\r\n") * 60,
    "very many short fields": b"GET / HTTP/1.1\r\n" + b"x:\r\n" * 200,
    "whole": longer(READ, 3000),
    "of a handshake": longer(HANDSHAKE, 3000),
}
BEHIND: Final = {
    "a field behind the body": CHUNKED + b"0\r\nx: " + b"x" * 40_000,
    "fields behind the body": CHUNKED + b"0\r\n" + (b"x: " + b"y" * 45 + b"\r\n") * 60,
    "what a chunk says of itself": CHUNKED + b"5;" + b"x" * 40_000,
}


@pytest.mark.parametrize("request_bytes", [READ, STREAM, HANDSHAKE], ids=["read", "stream", "websocket"])
async def test_a_head_within_its_size_is_taken(request_bytes: bytes) -> None:
    async with door(max_head_bytes=MOST) as here:
        assert await status(await here.come(longer(request_bytes, 1800))) in {101, 200}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG.keys())
@pytest.mark.parametrize("piece", [500, 100_000], ids=["in pieces", "at once"])
async def test_a_long_head_is_refused_before_it_is_whole(text: bytes, piece: int) -> None:
    async with door(max_head_bytes=MOST, head_timeout_s=30) as here:
        client = await here.come(*(text[at : at + piece] for at in range(0, len(text), piece)))
        said = await client.rest()
        assert said.startswith(b"HTTP/1.1 431 ")
        assert b'"head_too_large"' in said
        assert here.turned_away("long_head") == 1


@pytest.mark.parametrize("text", BEHIND.values(), ids=BEHIND.keys())
async def test_what_is_none_of_the_body_has_the_same_bound(text: bytes) -> None:
    """It is answered before that, so nothing can be said."""
    async with door(max_head_bytes=MOST, head_timeout_s=30) as here:
        head, behind = text[: len(CHUNKED)], text[len(CHUNKED) :]
        client = await here.come(head)
        assert await status(client) == 200
        client.send(behind)
        assert b"HTTP/1.1" not in await client.rest()
        assert here.turned_away("long_head") == 1


async def test_fields_behind_the_body_are_no_fields_of_the_request() -> None:
    """They may come after it was asked who may what."""
    field = b"If-None-Match: *\r\n\r\n"
    async with door() as here:
        assert await status(await here.come(READ[:-2] + field)) == 304
        assert await status(await here.come(CHUNKED + b"0\r\n" + field)) == 200


async def test_requests_without_end_are_answered_up_to_a_number() -> None:
    async with door() as here:
        client = await here.come(READ * 5000)
        said = await client.rest()
        assert 1 <= said.count(b"HTTP/1.1 200") <= 101
        assert said.count(b"HTTP/1.1") == said.count(b"HTTP/1.1 200")
        assert here.turned_away("pipelined") == 1


def kept_bodies() -> list[int]:
    """How many bytes uvicorn keeps of the body of each request."""
    # Of a proxy of something that is gone, isinstance() would ask what it stands for.
    return [len(thing.body) for thing in gc.get_objects() if type(thing) is RequestResponseCycle]


async def test_a_body_that_nobody_reads_is_not_kept() -> None:
    async with door(head_timeout_s=30) as here:
        poll = await here.poll(30)
        for _ in range(10):
            await here.come(poll[:-2] + b"Content-Length: 100000000\r\n\r\n", b"x" * MIB)
        await eventually(lambda: len(kept_bodies()) >= 10 and not here.server.doorstep.strangers, "all are admitted")
        assert sum(kept_bodies()) < 10 * MIB / 2
