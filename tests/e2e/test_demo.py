"""The demo does what it prints: its `curl` lines are run as they stand."""

import asyncio
import json
import shlex
from asyncio.subprocess import PIPE, Process

from tests.e2e.conftest import PrintedDemo
from tests.support.client import Ask, Watch, open_watch
from tests.support.recording import Frame


async def run(command: str) -> Process:
    """Start one line of the demo's text, as a shell would."""
    return await asyncio.create_subprocess_exec(*shlex.split(command), stdout=PIPE, stderr=PIPE)


async def output(command: str) -> str:
    process = await run(command)
    async with asyncio.timeout(15):
        text, errors = await process.communicate()
    assert process.returncode == 0, errors
    return text.decode()


def is_hello(frame: Frame) -> bool:
    return frame.get("resource") == "playground/hello"


async def test_the_lines_that_the_demo_prints_do_what_they_say(demo: PrintedDemo) -> None:
    watch, publish, read = demo.commands
    stream = await run(watch)
    assert stream.stdout is not None
    async with asyncio.timeout(15):
        seen = await stream.stdout.readuntil(b"event: synced")
        assert b'"resource":"stocks/' in seen
        answer = json.loads(await output(publish))
        assert answer["resource"] == "playground/hello"
        live = await stream.stdout.readuntil(b'"resource":"playground/hello"')
    assert b"event: put" in live
    stream.terminate()
    await stream.communicate()
    status, _, body = (await output(read)).partition("\r\n\r\n")
    assert status.startswith("HTTP/1.1 200")
    assert json.loads(body)


async def test_a_put_reaches_every_transport_of_the_demo(demo: PrintedDemo) -> None:
    ask = Ask((Watch("playground", "hello"),))
    transports = ("websocket", "websocket_msgpack", "websocket_url", "sse", "longpoll", "shortpoll")
    watchers = [await open_watch(transport, demo.url, ask) for transport in transports]
    await output(demo.commands[1])
    for watcher in watchers:
        assert (await watcher.wait_for(is_hello))["data"] == {"text": "Hello"}
        await watcher.close()


async def test_the_demo_has_live_prices_and_a_page(demo: PrintedDemo) -> None:
    watcher = await open_watch("sse", demo.url, Ask((Watch("stocks"),)))
    await watcher.wait_synced()
    prices = len(watcher.data)
    await watcher.until(lambda seen: len(seen.data) >= prices + 5)
    assert {frame.get("type") for frame in watcher.data} == {"price.changed"}
    await watcher.close()
    page = await output(f"curl -s {demo.url}/")
    assert "<html" in page.lower()


async def test_ctrl_c_stops_the_demo_and_says_goodbye_to_its_watchers(demo: PrintedDemo) -> None:
    watcher = await open_watch("websocket", demo.url, Ask((Watch("stocks"),)))
    await watcher.wait_synced()
    stopping = asyncio.create_task(demo.interrupt())
    end = await watcher.recording.wait_end()
    assert (end.code, watcher.frames[-1]["event"]) == (1012, "goaway")
    assert await stopping == 0, demo.printed[-2000:]
    assert "Traceback" not in demo.printed
