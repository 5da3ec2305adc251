"""Clients of which nothing is known yet, and which take their time; or there are too many of them."""

import asyncio
from typing import Final

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from shared.bounded_http import BoundedHttp
from shared.doorstep import Doorstep, Limits
from shared.serving import Listener
from tests.integration.strangers import HANDSHAKE, HEAD_TIMEOUT_S, READ, STREAM, TOLD, door, refusal, status
from tests.support.server import HOST, RawClient, eventually, metric

LATE: Final = (408, "request_timeout")
DRIP_S: Final = 0.02
BODY: Final = b"Content-Length: 1000\r\n\r\n"


async def drip(client: RawClient) -> None:
    """Say a little more of a head, again and again."""
    client.send(b"GET /v1/items/a HTTP/1.1\r\n")
    while True:
        client.send(b"a: b\r\n")
        await asyncio.sleep(DRIP_S)


async def still_open(client: RawClient) -> None:
    """Nothing is said, and nobody hangs up, for longer than a head may take."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2 * HEAD_TIMEOUT_S):
            await client.reader.read(1)


async def test_a_head_that_drips_is_refused_and_counted() -> None:
    async with door() as here:
        client = await here.come()
        dripping = asyncio.create_task(drip(client))
        assert await refusal(client) == LATE
        dripping.cancel()
        assert here.turned_away("slow_head") == 1


async def test_a_handshake_has_the_same_time() -> None:
    async with door() as here:
        assert await refusal(await here.come(HANDSHAKE[:-2])) == LATE


@pytest.mark.parametrize("said", [b"", b"\r\n"], ids=["nothing", "an empty line"])
async def test_who_asks_nothing_is_hung_up_on_without_a_word(said: bytes) -> None:
    async with door() as here:
        assert await (await here.come(said)).rest() == b""
        assert here.turned_away("silent") == 1


async def test_an_idle_connection_keeps_its_own_time_but_its_next_head_does_not() -> None:
    async with door() as here:
        client = await here.come(READ)
        await client.until(TOLD)
        await still_open(client)
        client.send(READ[:-2])
        assert await refusal(client) == LATE


async def test_empty_lines_between_requests_give_nobody_time() -> None:
    async with door() as here:
        client = await here.come(READ)
        await client.until(TOLD)
        client.send(b"\r\n")
        assert await client.rest() == b""


async def test_a_request_that_waits_for_its_answer_is_not_late_and_no_stranger() -> None:
    async with door() as here:
        client = await here.come(await here.poll(30))
        await still_open(client)
        assert not here.server.doorstep.strangers


async def test_a_head_behind_a_request_that_waits_has_its_time_and_the_answer_comes_first() -> None:
    async with door() as here:
        said = await (await here.come(await here.poll(1), READ[:-2])).rest()
        assert said.startswith(b"HTTP/1.1 200 ")
        assert said.count(b"HTTP/1.1") == 1


async def test_what_the_server_does_not_read_is_not_late() -> None:
    """Reading stops behind a whole second request: the end of the third one's head stays in the kernel."""
    asked, goes_on = asyncio.Event(), asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        asked.set()
        await goes_on.wait()
        await PlainTextResponse("told")(scope, receive, send)

    doorstep = Doorstep(Limits(HEAD_TIMEOUT_S))
    listener = Listener(app, host=HOST, port=0, http=BoundedHttp, ws="none", doorstep=doorstep)
    await listener.start()
    client = await RawClient.connect(listener.port)
    client.send(READ + READ + READ[:-2])
    await asked.wait()
    await eventually(lambda: len(doorstep), "the third head has begun")
    client.send(b"\r\n")
    await still_open(client)
    goes_on.set()
    for _ in range(3):
        await client.until(b"told")
    await client.close()
    await listener.stop(1)


async def test_the_rest_of_a_body_has_as_much_time_as_a_head() -> None:
    async with door() as here:
        client = await here.come(READ[:-2] + BODY)
        await client.until(TOLD)
        assert await client.rest() == b""
        assert here.turned_away("slow_body") == 1


async def test_who_sends_the_rest_of_a_body_and_another_request_in_time_is_answered() -> None:
    async with door() as here:
        client = await here.come(READ[:-2] + BODY)
        await client.until(TOLD)
        client.send(b"x" * 1000, READ)
        await client.until(TOLD)
        await still_open(client)


async def test_who_leaves_in_the_middle_of_a_body_is_no_mistake_of_ours() -> None:
    request = b"POST /v1/tickets HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
    async with door() as here:
        client = await here.come(request + BODY)
        await eventually(lambda: not here.server.doorstep.strangers, "it is admitted")
        client.writer.transport.abort()
        await eventually(lambda: not here.busy, "the server has noticed")
        assert metric(here.server, "refused_total", code="internal") == 0


async def test_one_too_many_is_refused_at_once_and_has_room_when_others_were_admitted() -> None:
    async with door(max_unanswered=3, head_timeout_s=30) as here:
        strangers = [await here.come() for _ in range(3)]
        await eventually(lambda: here.server.doorstep.strangers == 3, "all are let in")
        over = await here.come()
        head = await over.until(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After: " in head
        assert b'"try_again"' in await over.rest()
        assert here.turned_away("too_many") == 1
        for client, said in zip(strangers, (READ, STREAM, HANDSHAKE), strict=True):
            client.send(said)
            await client.until(b"\r\n\r\n")
        await eventually(lambda: not here.server.doorstep.strangers, "nobody is a stranger any more")
        assert await status(await here.come(READ)) == 200


@pytest.mark.parametrize(
    "said", [b"POST / HTTP/1.1\r\nHost: here\r\n\r\n", READ.replace(b"items", b"It's")], ids=["post", "name"]
)
async def test_who_was_only_refused_stays_a_stranger_until_it_is_gone(said: bytes) -> None:
    async with door() as here:
        client = await here.come(said)
        assert await status(client) >= 400
        assert here.server.doorstep.strangers == 1
        client.writer.transport.abort()
        await eventually(lambda: not here.server.doorstep.strangers, "it is forgotten")


async def test_a_refused_handshake_is_forgotten() -> None:
    async with door() as here:
        client = await here.come(HANDSHAKE.replace(b"Version: 13", b"Version: 12"))
        assert await status(client) == 426
        await eventually(lambda: not here.server.doorstep.strangers, "it is forgotten")


async def test_a_server_that_was_away_blames_nobody() -> None:
    """Whoever was frozen finds its timers due before it reads what is there."""
    async with door() as here:
        client = await here.come(READ[:-2])
        await eventually(lambda: len(here.server.doorstep), "the head has begun")
        here.server.doorstep._look_round()  # noqa: SLF001 -- one look, which is all that a loop makes after a freeze
        client.send(b"\r\n")
        assert await status(client) == 200
