"""One watch by each transport: an endless series of arrivals, ended by Trouble or by the end of the connection."""

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Final

import aiohttp
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from cli.watching.arrival import Arrival, check_answer, connection_errors
from cli.watching.event_stream import EventStream
from cli.watching.request import TailRequest

SILENCE_S: Final = 90.0
"""Bookmarks come every 15 s: after so long without a byte the connection is dead, whatever the system says."""
_CONNECT_S: Final = 10.0
_POLL_S: Final = 25
_SUBPROTOCOL: Final = Subprotocol("watch.v1.json")

Transport = Callable[[aiohttp.ClientSession, TailRequest], AsyncGenerator[Arrival, None]]


def client() -> aiohttp.ClientSession:
    """The connections of a watcher; to be closed."""
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=SILENCE_S)
    return aiohttp.ClientSession(timeout=timeout)


async def sse(session: aiohttp.ClientSession, request: TailRequest) -> AsyncGenerator[Arrival, None]:
    """Server-Sent Events."""
    parser = EventStream()
    headers = {"Accept": "text/event-stream"}
    with connection_errors():
        async with session.get(request.target("stream"), headers=headers) as answer:
            await check_answer(answer)
            async for piece in answer.content.iter_any():
                for arrival in parser.feed(piece):
                    yield arrival


async def websocket(session: aiohttp.ClientSession, request: TailRequest) -> AsyncGenerator[Arrival, None]:
    """A WebSocket, every watch asked for by an operation."""
    del session
    with connection_errors():
        async with connect(
            "ws" + request.socket_target().removeprefix("http"),
            subprotocols=[_SUBPROTOCOL],
            compression=None,
            max_size=None,
            proxy=None,
            open_timeout=_CONNECT_S,
        ) as socket:
            for operation in request.operations():
                await socket.send(json.dumps(operation))
            async for message in socket:
                yield Arrival(str(message))


async def poll(session: aiohttp.ClientSession, request: TailRequest) -> AsyncGenerator[Arrival, None]:
    """Long poll, each with the cursor of the one before."""
    while True:
        with connection_errors():
            async with session.get(request.target("poll", ("wait", str(_POLL_S)))) as answer:
                await check_answer(answer)
                body = json.loads(await answer.read())
        for frame in body["frames"]:
            yield Arrival(json.dumps(frame, ensure_ascii=False, separators=(",", ":")))
        yield Arrival("", body["cursor"])
        request = request.resumed(body["cursor"])


TRANSPORTS: Final[Mapping[str, Transport]] = {"sse": sse, "ws": websocket, "poll": poll}
