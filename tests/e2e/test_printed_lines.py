"""The demo does what it prints: its `curl` lines are run as they stand."""

import asyncio
import json
import re
import shlex
from asyncio.subprocess import PIPE, Process

from tests.e2e.conftest import Demo


async def run(command: str) -> Process:
    """Start one line of the demo's text, as a shell would."""
    return await asyncio.create_subprocess_exec(*shlex.split(command), stdout=PIPE, stderr=PIPE)


async def output(command: str) -> str:
    process = await run(command)
    text, errors = await process.communicate()
    assert process.returncode == 0, errors
    return text.decode()


async def test_the_lines_that_the_demo_prints_do_what_they_say(demo: Demo) -> None:
    watch, publish, read = re.findall(r"^\s*(curl .*?)\s*$", demo.out, re.MULTILINE)
    async with asyncio.timeout(20):
        stream = await run(watch)
        assert stream.stdout is not None
        await stream.stdout.readuntil(b'"resource":"stocks/')
        assert json.loads(await output(publish))["resource"] == "playground/hello"
        assert b"event: put" in await stream.stdout.readuntil(b'"resource":"playground/hello"')
        status, _, body = (await output(read)).partition("\r\n\r\n")
        assert status.startswith("HTTP/1.1 200")
        assert json.loads(body)
        stream.terminate()
        await stream.communicate()
