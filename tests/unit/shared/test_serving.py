"""Listening, stopping, and the admin routes."""

import asyncio
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from shared.answers import problem_app
from shared.serving import AddressTaken, Listener, admin_app

ROOT = Path(__file__).parents[3]
SCRIPT = """
import asyncio, sys
from shared.serving import stop_requested
async def main():
    stop = stop_requested()
    print("waiting", flush=True)
    await stop.wait()
    print("asked", flush=True)
    await asyncio.sleep(30)
if sys.argv[1] == "uvloop":
    import uvloop
    uvloop.run(main())
else:
    asyncio.run(main())
"""


@asynccontextmanager
async def listening(listener: Listener) -> AsyncIterator[Listener]:
    await listener.start()
    try:
        yield listener
    finally:
        await listener.stop(0.2)


def admin(reason: str | None = None) -> Listener:
    return Listener(admin_app(lambda: reason), host="127.0.0.1", port=0)


async def get(port: int, path: str, host: str = "127.0.0.1") -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://{host}:{port}{path}") as answer:
        return answer.status, await answer.text()


async def test_a_started_listener_accepts_at_a_port_of_its_own() -> None:
    async with listening(admin()) as one, listening(admin()) as other:
        assert one.port != other.port
        assert (await get(one.port, "/livez"))[0] == (await get(other.port, "/livez"))[0] == 200


async def test_every_address_of_a_host_is_listened_at_with_one_port() -> None:
    async with listening(Listener(admin_app(lambda: None), host="localhost", port=0)) as listener:
        for address in {found[4][0] for found in socket.getaddrinfo("localhost", None)}:
            host = f"[{address}]" if ":" in str(address) else str(address)
            assert (await get(listener.port, "/livez", host))[0] == 200


async def test_an_address_that_is_taken_is_named() -> None:
    async with listening(admin()) as first:
        second = Listener(admin_app(lambda: None), host="127.0.0.1", port=first.port)
        with pytest.raises(AddressTaken, match=f"127.0.0.1:{first.port}") as taken:
            await second.start()
        assert isinstance(taken.value, OSError)
        await second.stop(0)


async def test_a_host_that_is_not_ours_is_named() -> None:
    with pytest.raises(AddressTaken, match=r"192\.0\.2\.1"):
        await Listener(admin_app(lambda: None), host="192.0.2.1", port=0).start()


async def test_a_stopped_listener_gives_its_address_back() -> None:
    first = admin()
    await first.start()
    await first.stop(1)
    async with listening(Listener(admin_app(lambda: None), host="127.0.0.1", port=first.port)) as second:
        assert (await get(second.port, "/livez"))[0] == 200


async def test_a_request_under_way_may_end_within_the_grace() -> None:
    begun, end = asyncio.Event(), asyncio.Event()

    async def slow(request: Request) -> Response:
        begun.set()
        await end.wait()
        return PlainTextResponse("done")

    async with listening(Listener(problem_app([Route("/", slow)]), host="127.0.0.1", port=0)) as listener:
        asking = asyncio.create_task(get(listener.port, "/"))
        await begun.wait()
        stopping = asyncio.create_task(listener.stop(5))
        end.set()
        assert await asking == (200, "done")
        await stopping


async def test_a_request_that_never_ends_is_cut_after_the_grace() -> None:
    begun = asyncio.Event()

    async def endless(request: Request) -> Response:
        begun.set()
        await asyncio.Event().wait()
        return PlainTextResponse("never")

    listener = Listener(problem_app([Route("/", endless)]), host="127.0.0.1", port=0)
    await listener.start()
    asking = asyncio.create_task(get(listener.port, "/"))
    await begun.wait()
    began = time.monotonic()
    await listener.stop(0.2)
    assert time.monotonic() - began < 2
    assert listener.connections == 0
    await asyncio.wait((asking,), timeout=5)
    assert asking.done()
    assert asking.exception() is not None or asking.result()[0] == 500


async def test_socket_options_reach_the_connections() -> None:
    options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    seen: list[int] = []

    async def look(request: Request) -> Response:
        (connection,) = listener._server.server_state.connections  # noqa: SLF001 -- there is no other way to its socket
        peer = connection.transport.get_extra_info("socket")
        seen.append(peer.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
        return PlainTextResponse("")

    listener = Listener(problem_app([Route("/", look)]), host="127.0.0.1", port=0, socket_options=options)
    async with listening(listener):
        await get(listener.port, "/")
    assert seen == [1]


async def test_readiness_has_its_reason() -> None:
    async with listening(admin("catching up")) as listener:
        status, text = await get(listener.port, "/readyz")
        assert (status, "catching up" in text, "not_ready" in text) == (503, True, True)
        assert (await get(listener.port, "/livez"))[0] == 200
    async with listening(admin()) as listener:
        assert (await get(listener.port, "/readyz"))[0] == 200


async def test_metrics_are_in_the_form_of_prometheus() -> None:
    async with listening(admin()) as listener:
        status, text = await get(listener.port, "/metrics")
    assert status == 200
    assert "# TYPE python_info gauge" in text


async def test_the_answer_does_not_name_the_server() -> None:
    async with (
        listening(admin()) as listener,
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{listener.port}/livez") as answer,
    ):
        assert "Server" not in answer.headers
        assert "Date" in answer.headers


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_asks_and_the_second_ends_at_once(loop: str, number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", SCRIPT, loop], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(number)
        assert process.stdout.readline() == "asked\n"
        process.send_signal(number)
        assert process.wait(5) == -number
