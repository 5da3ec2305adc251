"""What the hand-off relies on in a pinned minor version of uvicorn, one thing a test."""

import asyncio
from typing import Final

import pytest
import uvloop

from tests.integration.handing_off import (
    HEAD,
    PLAIN,
    STREAM,
    UPGRADE,
    App,
    Runner,
    all_let_go,
    connect,
    listening,
    runner_of,
)
from tests.support.server import eventually

EACH: Final = pytest.mark.parametrize("request_bytes", [STREAM, UPGRADE], ids=["http", "websocket"])


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def on_each_loop(request: pytest.FixtureRequest) -> Runner:
    return runner_of(request.param)


@pytest.fixture
def on_loop() -> Runner:
    """The loop that servers run on."""
    return runner_of(uvloop.new_event_loop)


@EACH
@pytest.mark.parametrize("before", [(), (PLAIN,)], ids=["first", "kept alive"])
def test_uvicorn_forgets_a_connection_that_was_handed_off(
    on_each_loop: Runner, request_bytes: bytes, before: tuple[bytes, ...]
) -> None:
    """Its sets of connections and tasks, its timers, the parser and the scope: whatever refers to it shows here."""

    async def scenario() -> None:
        app = App()
        async with listening(app) as listener:
            client = await connect(listener, *before)
            if before:
                await client.until(b"plain")
            client.send(request_bytes)
            await client.until(b"\r\n\r\n")
            successor = await app.successor()
            await all_let_go()
            assert listener.connections == 0
            successor.transport.write(b"still here")
            await client.until(b"still here")
            await client.close()
            await eventually(lambda: successor.told == ["take_over", "connection_lost"], "it hears of the end")

    on_each_loop(scenario)


@EACH
def test_a_listener_that_stops_leaves_what_was_handed_off_alone(on_loop: Runner, request_bytes: bytes) -> None:
    async def scenario() -> None:
        app = App()
        async with listening(app) as listener:
            client = await connect(listener, request_bytes)
            await client.until(b"\r\n\r\n")
            successor = await app.successor()
        successor.transport.write(b"still here")
        await client.until(b"still here")
        assert successor.told == ["take_over"]
        await client.close()

    on_loop(scenario)


def test_a_second_request_behind_the_first_is_not_answered_into_the_stream(on_each_loop: Runner) -> None:
    async def scenario() -> None:
        app = App()
        app.gate.clear()
        async with listening(app) as listener:
            client = await connect(listener, STREAM + PLAIN + STREAM)
            await eventually(lambda: app.asked, "the first request is asked")
            app.gate.set()
            successor = await app.successor()
            await all_let_go()
            client.send(b"heard")
            await eventually(lambda: successor.received == b"heard", "uvicorn had paused reading: it goes on")
            successor.transport.write(b"the end")
            successor.transport.close()
            assert await client.rest() == HEAD + b"the end"
            assert app.asked == ["/stream"]
            await client.close()

    on_each_loop(scenario)


def test_a_stream_asked_for_behind_another_request_is_handed_off_in_its_turn(on_loop: Runner) -> None:
    async def scenario() -> None:
        app = App()
        async with listening(app) as listener:
            client = await connect(listener, PLAIN + STREAM)
            answer = await client.until(HEAD)
            assert answer.count(b"HTTP/1.1 200 OK") == 2
            (await app.successor()).transport.write(b"still here")
            assert await client.until(b"still here") == b"still here"
            await client.close()

    on_loop(scenario)


@pytest.mark.parametrize("split", [False, True], ids=["at once", "in pieces"])
def test_a_body_of_a_get_does_no_harm(on_loop: Runner, *, split: bool) -> None:
    async def scenario() -> None:
        app = App()
        body = b"GET /plain HTTP/1.1\r\nHost: here\r\n\r\n"
        head = b"GET /stream HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n\r\n" % len(body)
        async with listening(app) as listener:
            client = await connect(listener, head if split else head + body)
            await client.until(HEAD)
            successor = await app.successor()
            if split:
                client.send(body)
                await eventually(lambda: successor.received == body, "it is the successor's to ignore")
            successor.transport.write(b"still here")
            assert await client.until(b"still here") == b"still here"
            assert app.asked == ["/stream"]
            await client.close()

    on_loop(scenario)


@EACH
def test_a_client_that_left_before_is_not_handed_off(
    on_each_loop: Runner, request_bytes: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        app = App()
        app.gate.clear()
        async with listening(app) as listener:
            client = await connect(listener, request_bytes)
            await eventually(lambda: app.asked, "the request is asked")
            await client.close()
            await eventually(lambda: listener.connections == 0, "uvicorn has noticed")
            app.gate.set()
            await eventually(lambda: app.gone, "the hand-off is refused")
        assert not app.successors
        assert not caplog.records

    on_each_loop(scenario)


@EACH
def test_an_app_that_fails_after_the_hand_off_does_not_take_the_connection_with_it(
    on_loop: Runner, request_bytes: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        app = App()
        app.fails = True
        async with listening(app) as listener:
            client = await connect(listener, request_bytes)
            await client.until(b"\r\n\r\n")
            successor = await app.successor()
            await eventually(lambda: caplog.records, "uvicorn has logged the failure")
            successor.transport.write(b"still here")
            assert await client.until(b"still here") == b"still here"
            await client.close()

    on_loop(scenario)


@EACH
def test_backpressure_reaches_the_successor(on_each_loop: Runner, request_bytes: bytes) -> None:
    async def scenario() -> None:
        app = App()
        async with listening(app) as listener:
            client = await connect(listener, request_bytes)
            await client.until(b"\r\n\r\n")
            successor = await app.successor()
            for _ in range(100):
                successor.transport.write(b"x" * 1_000_000)
                await asyncio.sleep(0)
                if "pause_writing" in successor.told:
                    break
            while "resume_writing" not in successor.told:
                assert await client.reader.read(1_000_000)
            assert successor.told == ["take_over", "pause_writing", "resume_writing"]
            successor.transport.abort()
            await client.close()

    on_each_loop(scenario)
