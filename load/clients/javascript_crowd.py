"""Applications of the JavaScript client, in a process of Node."""

import asyncio
import json
import os
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Final

from load.clients.story import Story

_SCRIPT: Final = Path(__file__).with_name("crowd.mjs")
_THERE_WITHIN_S: Final = 60
_LONGEST_LINE: Final = 256 * 1024 * 1024


class CrowdFailed(Exception):
    """Node ended; what it said is on standard error."""


class JavaScriptCrowd:
    """As many as of the other kind, and in the same ways."""

    name = "JavaScript"

    def __init__(self, url: str, certificate: Path, number: int) -> None:
        self._arguments = (url, str(number))
        self._environment = {**os.environ, "NODE_EXTRA_CA_CERTS": str(certificate)}
        self._node: Process | None = None

    async def open(self) -> None:
        """Return when all are told changes as they happen."""
        command = ("node", "--experimental-websocket", "--no-warnings", str(_SCRIPT), *self._arguments)
        self._node = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, env=self._environment, limit=_LONGEST_LINE
        )
        async with asyncio.timeout(_THERE_WITHIN_S):
            await self._line()

    async def close(self) -> list[Story]:
        """End all of them; what they were told."""
        node = self._running()
        if node.stdin is not None:
            node.stdin.close()
        stories = [Story(**told) for told in json.loads(await self._line())]
        await node.wait()
        return stories

    async def _line(self) -> bytes:
        node = self._running()
        line = await node.stdout.readline() if node.stdout is not None else b""
        if not line:
            raise CrowdFailed(str(CrowdFailed.__doc__))
        return line

    def _running(self) -> Process:
        if self._node is None:
            raise CrowdFailed("it was never opened")
        return self._node
