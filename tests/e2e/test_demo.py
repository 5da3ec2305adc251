"""`watchroute demo`: it starts, serves every transport on one port, and stops."""

import asyncio
import json
import os
import signal
import socket
import time
from contextlib import AsyncExitStack

import aiohttp
import pytest
from websockets.asyncio.client import connect

from tests.e2e.command import Command
from tests.e2e.conftest import Demo
from tests.support.broker import Broker
from tests.support.client import Ask, Http, Watch, Watcher, Writer, open_watch

HELLO = Watch("playground", "hello")
STREAMS = ("sse", "websocket", "websocket_url")
QUICK_S = 2.5
"""Two seconds, and a half for a machine that runs the other tests too."""


async def opened(stack: AsyncExitStack, demo: Demo, transport: str, watch: Watch) -> Watcher:
    watcher = await open_watch(transport, demo.url, Ask((watch,)))
    stack.push_async_callback(watcher.close)
    await watcher.wait_synced()
    return watcher


async def test_a_put_appears_in_every_open_stream(demo: Demo) -> None:
    async with AsyncExitStack() as stack:
        watchers = [await opened(stack, demo, transport, HELLO) for transport in (*STREAMS, "longpoll")]
        async with Writer(demo.url) as writer:
            written = await writer.put("playground/hello", {"text": "Hello"})
        for watcher in watchers:
            seen = await watcher.wait_for(lambda frame: frame.get("version") == str(written.version))
            assert seen["data"] == {"text": "Hello"}


async def test_prices_move(demo: Demo) -> None:
    async with AsyncExitStack() as stack:
        watcher = await opened(stack, demo, "sse", Watch("stocks"))
        await watcher.until(lambda seen: sum(frame["event"] == "put" for frame in seen.frames) > 20)


async def test_the_page_and_the_health_are_on_the_same_port(demo: Demo) -> None:
    async with Http(demo.url) as http:
        assert "<title>" in (await http.get("/")).body.decode()
        assert (await http.get("/page/app.js")).status == 200
        assert (await http.get("/readyz")).status == (await http.get("/livez")).status == 200
        assert b"watchroute_records_total" in (await http.get("/metrics")).body
        refused = await http.request("PATCH", "/v1/stocks/AAPL")
        assert (refused.status, refused.headers["Allow"]) == (405, "GET, HEAD, PUT, DELETE")


async def test_the_schema_of_stocks_is_enforced_and_the_playground_takes_anything(demo: Demo) -> None:
    headers = {"Content-Type": "application/json"}
    async with Http(demo.url) as http:
        assert (await http.request("PUT", "/v1/stocks/X", headers=headers, body=b"{}")).status == 422
        assert (await http.request("PUT", "/v1/playground/x", headers=headers, body=b"null")).status == 200


async def test_a_websocket_publishes_and_reads_its_own_write(demo: Demo) -> None:
    async with connect(f"ws{demo.url[4:]}/v1/watch/ws", proxy=None) as socket:
        await socket.send(json.dumps({"op": "publish", "resource": "playground/mine", "data": [1], "ref": 1}))
        ack = json.loads(await asyncio.wait_for(socket.recv(), 5))
        assert (ack["event"], ack["ref"], ack["resource"]) == ("ack", 1, "playground/mine")
    async with Http(demo.url) as http:
        assert (await http.get(f"/v1/playground/mine?at_least={ack['cursor']}")).json() == [1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl_c", "sigterm"])
async def test_it_says_goodbye_to_open_streams_and_ends_cleanly(own_demo: Demo, number: signal.Signals) -> None:
    async with AsyncExitStack() as stack:
        watchers = [await opened(stack, own_demo, transport, Watch("stocks")) for transport in STREAMS]
        polled = await opened(stack, own_demo, "longpoll", HELLO)
        took_s = await own_demo.stop(number)
        for watcher in watchers:
            assert [frame["event"] for frame in watcher.frames][-2:] == ["bookmark", "goaway"], watcher.transport
        await polled.until(lambda seen: any(frame["event"] in {"goaway", "problem"} for frame in seen.frames))
    assert took_s < QUICK_S
    # On a busy machine the embedded broker may take long enough to start for the demo to say so.
    assert [line for line in own_demo.err.splitlines() if not line.startswith("Waiting for Kafka")] == []


async def test_it_ends_cleanly_while_it_starts(tmp_path_factory: pytest.TempPathFactory) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        kafka = f"127.0.0.1:{silent.getsockname()[1]}"
        async with Demo(tmp_path_factory, kafka=kafka) as demo:
            await demo.said("Waiting for Kafka")
            assert await demo.stop() < QUICK_S
            assert "Traceback" not in demo.err


async def test_a_second_ctrl_c_ends_it_at_once(own_demo: Demo) -> None:
    async with AsyncExitStack() as stack:
        watcher = await opened(stack, own_demo, "sse", HELLO)
        own_demo.send(signal.SIGINT)
        # The first one has been heard, and half a second of drain is to come.
        await watcher.wait_for(lambda frame: frame["event"] == "goaway")
        own_demo.send(signal.SIGINT)
        assert await own_demo.ended() == -signal.SIGINT


async def test_a_port_that_is_taken_is_one_clear_line(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> None:
    async with Command(tmp_path_factory.mktemp("second"), "demo", "--port", str(demo.port)) as second:
        assert await second.ended() == 1
        assert second.err == f"watchroute: can't listen at 127.0.0.1:{demo.port}: {os.strerror(98)}\n"


async def test_a_second_start_is_ready_soon(tmp_path_factory: pytest.TempPathFactory) -> None:
    began = time.monotonic()
    async with Demo(tmp_path_factory) as demo:
        await demo.ready()
    assert time.monotonic() - began < 5


async def test_a_cursor_of_an_earlier_run_leads_to_a_reset(own_demo: Demo) -> None:
    async with Http(own_demo.url) as http:
        cursor = (await http.get("/v1/stocks/AAPL")).headers["Watch-Cursor"]
    await own_demo.stop()
    own_demo.start()
    await own_demo.ready()
    async with AsyncExitStack() as stack:
        watcher = await open_watch("sse", own_demo.url, Ask((Watch("stocks", "AAPL"),), cursor=cursor))
        stack.push_async_callback(watcher.close)
        reset = await watcher.wait_for(lambda frame: frame["event"] == "reset")
        assert reset["reason"] == "epoch"


async def test_it_runs_over_another_kafka_and_keeps_its_state(
    broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async with Demo(tmp_path_factory, kafka=broker.bootstrap) as demo:
        await demo.ready()
        async with Writer(demo.url) as writer:
            written = await writer.put("playground/kept", {"by": demo.port})
        await demo.stop()
        demo.start()
        await demo.ready()
        async with aiohttp.ClientSession() as session, session.get(f"{demo.url}/v1/playground/kept") as answer:
            assert await answer.json() == {"by": demo.port}
            assert answer.headers["ETag"].startswith(f'"{written.version}')
