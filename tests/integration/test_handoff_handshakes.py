"""WebSocket handshakes until they are answered: hasty clients, pipelines, refusals, and who leaves first."""

import asyncio
from collections import Counter
from typing import Any, Final

import orjson
import pytest
import uvloop

from shared.turnstile import AT_ONCE
from tests.integration.handing_off import (
    HEAD,
    PLAIN,
    STREAM,
    UPGRADE,
    App,
    Runner,
    TrackedHttp,
    all_let_go,
    connect,
    listening,
    runner_of,
)
from tests.support.server import RawClient, eventually

SWITCHED: Final = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nX-Ours: yes\r\n\r\n"
)
ANSWER: Final = b"\r\n\r\nplain"
H2C: Final = PLAIN.replace(b"Host: here\r\n", b"Host: here\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n")


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def on_each_loop(request: pytest.FixtureRequest) -> Runner:
    return runner_of(request.param)


@pytest.fixture
def on_loop() -> Runner:
    """The loop that servers run on."""
    return runner_of(uvloop.new_event_loop)


def to(path: bytes) -> bytes:
    return UPGRADE.replace(b"/ws", path)


async def answer(client: RawClient) -> tuple[bytes, bytes]:
    """The start line and the body of an answer after which the server hangs up."""
    head, _, body = (await client.rest()).partition(b"\r\n\r\n")
    assert b"\r\nContent-Length: %d\r\n" % len(body) in head + b"\r\n"
    assert b"\r\nConnection: close\r\n" in head + b"\r\n"
    return head.partition(b"\r\n")[0], body


@pytest.mark.parametrize("waits", [False, True], ids=["at once", "while the app thinks"])
@pytest.mark.parametrize("piece", [1, 7, 1000], ids=["byte by byte", "in pieces", "in one piece"])
def test_what_a_hasty_client_says_reaches_the_successor(on_each_loop: Runner, piece: int, *, waits: bool) -> None:
    async def scenario() -> None:
        app = App()
        said = UPGRADE + b"\x81\x05hello" * 3
        if waits:
            app.gate.clear()
        async with listening(app) as listener:
            client = await connect(listener)
            for start in range(0, len(said), piece):
                client.send(said[start : start + piece])
                await client.writer.drain()
                await asyncio.sleep(0)
            await eventually(lambda: app.asked, "the handshake is asked")
            app.gate.set()
            assert await client.until(b"\r\n\r\n") == SWITCHED
            successor = await app.successor()
            client.send(b"and more")
            await eventually(lambda: successor.received == b"\x81\x05hello" * 3 + b"and more", "all of it, in order")
            assert successor.told == ["take_over"]
            await client.close()

    on_each_loop(scenario)


def test_a_client_that_never_stops_is_not_listened_to_before_its_answer(on_loop: Runner) -> None:
    async def scenario() -> None:
        app = App()
        app.gate.clear()
        async with listening(app) as listener:
            client = await connect(listener, UPGRADE)
            await eventually(lambda: app.asked, "the handshake is asked")
            for _ in range(200):
                client.send(b"x" * 1_000_000)
                await asyncio.sleep(0)
            assert client.writer.transport.get_write_buffer_size() > 100_000_000, "it isn't read"
            app.gate.set()
            await app.successor()
            client.writer.transport.abort()

    on_loop(scenario)


@pytest.mark.parametrize("behind", [UPGRADE, b"\x16\x03\x01 is TLS\r\n\r\n"], ids=["a handshake", "garbage"])
def test_nothing_is_answered_before_the_request_in_front_of_it(on_each_loop: Runner, behind: bytes) -> None:
    async def scenario() -> None:
        app = App()
        app.gate.clear()
        async with listening(app) as listener:
            client = await connect(listener, STREAM + behind, PLAIN)
            polite = await connect(listener, PLAIN + behind, PLAIN)
            told = await polite.rest()
            assert told.startswith(b"HTTP/1.1 200 OK\r\n")
            assert told.endswith(b"plain"), "the only answer"
            assert b"connection: close" in told
            await eventually(lambda: "/stream" in app.asked, "the first request is asked")
            app.gate.set()
            (await app.successor()).transport.close()
            assert await client.rest() == HEAD
            assert sorted(app.asked) == ["/plain", "/stream"]
            assert listener.connections == 0

    on_each_loop(scenario)


def test_another_protocol_is_not_spoken_and_its_requests_are_answered_like_others(on_loop: Runner) -> None:
    async def scenario() -> None:
        app = App()
        async with listening(app) as listener:
            client = await connect(listener, H2C * 3 + UPGRADE.replace(b"websocket", b"h2c").replace(b"/ws", b"/plain"))
            for _ in range(4):
                await client.until(ANSWER)
            assert app.asked == ["/plain"] * 4
            await client.close()

    on_loop(scenario)


@pytest.mark.parametrize(
    ("path", "start", "text"),
    [(b"/refused", b"HTTP/1.1 403 Forbidden", b"no thanks"), (b"/closed", b"HTTP/1.1 403 Forbidden", b"forbidden")],
)
def test_an_app_refuses_with_an_answer(on_each_loop: Runner, path: bytes, start: bytes, text: bytes) -> None:
    async def scenario() -> None:
        app = App()
        async with listening(app) as listener:
            client = await connect(listener, to(path) + b"\x81\x05hello")
            line, body = await answer(client)
            assert line == start
            assert text in body
            await all_let_go()
            assert listener.connections == 0

    on_each_loop(scenario)


@pytest.mark.parametrize("fails", [False, True], ids=["without an answer", "with a wrong one"])
def test_an_app_that_ends_leaves_no_client_waiting(
    on_loop: Runner, caplog: pytest.LogCaptureFixture, *, fails: bool
) -> None:
    async def scenario() -> None:
        app = App()
        app.fails = fails
        async with listening(app) as listener:
            line, body = await answer(await connect(listener, to(b"/forgotten")))
            assert line == b"HTTP/1.1 500 Internal Server Error"
            assert orjson.loads(body)["code"] == "internal"
            assert bool(caplog.records) == fails
            await eventually(lambda: listener.connections == 0, "it is forgotten")

    on_loop(scenario)


def test_a_listener_that_stops_refuses_who_is_not_answered_yet(on_loop: Runner) -> None:
    async def scenario() -> None:
        app = App()
        app.gate.clear()
        async with listening(app) as listener:
            client = await connect(listener, UPGRADE)
            await eventually(lambda: app.asked, "the handshake is asked")
            stopping = asyncio.create_task(listener.stop(5))
            line, body = await answer(client)
            assert line == b"HTTP/1.1 503 Service Unavailable"
            assert orjson.loads(body)["code"] == "going_away"
            app.gate.set()
            await stopping
            assert app.gone == 1

    on_loop(scenario)


def test_an_app_hears_that_its_client_left(on_each_loop: Runner) -> None:
    async def scenario() -> None:
        app = App()
        async with listening(app) as listener:
            client = await connect(listener, to(b"/listening"))
            await eventually(lambda: app.heard, "it has heard of the client")
            await client.close()
            await eventually(lambda: len(app.heard) == 2, "it has heard of the end")
            assert app.heard == [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1006}]
            await all_let_go()
            assert listener.connections == 0

    on_each_loop(scenario)


@pytest.mark.parametrize("request_bytes", [PLAIN, STREAM, UPGRADE], ids=["plain", "http", "websocket"])
def test_a_crowd_that_speaks_at_once_is_read_a_few_in_each_turn_of_the_loop(
    on_loop: Runner, request_bytes: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: Counter[int] = Counter()
    turn = 0

    def tick() -> None:
        nonlocal turn
        turn += 1
        asyncio.get_running_loop().call_soon(tick)

    def read(protocol: TrackedHttp, data: bytes) -> None:
        turns[turn] += 1
        original(protocol, data)

    original = TrackedHttp._read  # noqa: SLF001 -- what is counted has no public name
    monkeypatch.setattr(TrackedHttp, "_read", read)

    async def scenario() -> None:
        app = App()
        async with listening(app) as listener:
            crowd = [await connect(listener) for _ in range(20 * AT_ONCE)]
            await eventually(lambda: listener.connections == len(crowd), "all are there, and silent")
            tick()
            for client in crowd:
                client.send(request_bytes)
            for client in crowd:
                await client.until(b"\r\n\r\n")
            assert max(turns.values()) <= AT_ONCE
            assert len(app.asked) == len(crowd)
            for client in crowd:
                client.writer.transport.abort()

    on_loop(scenario)


def test_who_hangs_up_or_goes_on_while_waiting_to_be_read_harms_nobody(on_loop: Runner) -> None:
    async def scenario() -> None:
        app = App()
        async with listening(app) as listener:
            crowd = [await connect(listener) for _ in range(6 * AT_ONCE)]
            await eventually(lambda: listener.connections == len(crowd), "all are there, and silent")
            for index, client in enumerate(crowd):
                client.send(PLAIN if index % 3 else PLAIN[:20])
            await asyncio.sleep(0)
            for index, client in enumerate(crowd):
                if index % 3 == 0:
                    client.send(PLAIN[20:] + PLAIN)
                elif index % 3 == 1:
                    client.writer.transport.abort()
            for index, client in enumerate(crowd):
                if index % 3 != 1:
                    await client.until(ANSWER)
                if index % 3 == 0:
                    await client.until(ANSWER)
                client.writer.transport.abort()
            await eventually(lambda: listener.connections == 0, "all are forgotten")

    on_loop(scenario)


def test_what_comes_while_a_client_waits_to_be_read_is_read_behind_it(on_loop: Runner) -> None:
    async def scenario() -> None:
        app = App()
        async with listening(app) as listener:
            client = await connect(listener)
            await eventually(lambda: listener.connections == 1, "it is there")
            state: Any = listener._server.server_state  # noqa: SLF001 -- the way to a protocol of uvicorn
            (protocol,) = state.connections
            while state.turnstile.admits():
                """Others come."""
            # An app that asks for the body of an earlier request goes on reading meanwhile.
            for start in range(0, len(PLAIN), 10):
                protocol.data_received(PLAIN[start : start + 10])
            assert not app.asked
            await client.until(ANSWER)
            await client.close()

    on_loop(scenario)
