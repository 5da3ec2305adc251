"""A WebSocket that is open, as its client sees it."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, Protocol

import aiohttp
import orjson

from tests.access.matrix import carry
from tests.support.server import HOST

WITHIN_S: Final = 10


class Listens(Protocol):
    """A server of ours."""

    @property
    def port(self) -> int:
        """Where it listens."""


class Socket:
    """A WebSocket client that reads frames."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._refs = itertools.count(1)

    async def op(self, **members: Any) -> dict[str, Any]:
        """Do an operation; the frame with its ref."""
        ref = next(self._refs)
        await self._socket.send_str(orjson.dumps({"ref": ref, **members}).decode())
        return await self.until(lambda frame: frame.get("ref") == ref)

    async def until(self, wanted: Any) -> dict[str, Any]:
        """The next frame that is wanted."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                frame: dict[str, Any] = orjson.loads(await self._socket.receive_str())
                if wanted(frame):
                    return frame

    async def closed(self) -> int | None:
        """The code that it was closed with."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                message = await self._socket.receive()
                if message.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}:
                    return self._socket.close_code


@asynccontextmanager
async def opened(served: Listens, token: str | None, path: str = "/v1/watch/ws") -> AsyncIterator[Socket]:
    """A WebSocket of whom the token speaks for."""
    headers = carry("header", token).headers if token else {}
    url = f"http://{HOST}:{served.port}{path}"
    async with aiohttp.ClientSession() as session, session.ws_connect(url, headers=headers) as socket:
        yield Socket(socket)


def event(name: str) -> Any:
    """Whether a frame is of this kind."""
    return lambda frame: frame["event"] == name
