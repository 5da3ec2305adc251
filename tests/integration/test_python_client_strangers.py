"""The Python client before what is no Watchroute: it says so, tries the others, and comes back with a backoff."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from infra.cluster.process import HOST
from tests.support.server import eventually
from watchroute_client import State, WatchClient, WatchError

HTML = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<a/>"
OTHER_JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]"
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
GARBLED = [
    b"data: {\n\n",
    b"data: []\n\n",
    b'data: {"event":"put"}\n\n',
    b'data: {"event":"put","resource":"a/b","version":"x"}\n\n',
]


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Answers everything so; the first lines of what it was asked."""
    asked: list[bytes] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked.append((await reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")[0])
            writer.write(answer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(accept, HOST, 0)
    async with server:
        yield f"http://{HOST}:{server.sockets[0].getsockname()[1]}", asked


@pytest.mark.parametrize(
    "answer", [HTML, OTHER_JSON, b"", b"nonsense\r\n\r\n"], ids=["html", "json", "nothing", "nonsense"]
)
async def test_every_transport_is_tried_and_none_is_taken_for_good(answer: bytes) -> None:
    reasons: list[str] = []
    async with answering(answer) as (url, asked), WatchClient(url) as client:
        client.on_status(lambda status: reasons.append(status.reason))
        watch = client.watch("items")

        def tried() -> bool:
            return all(any(word in line for line in asked) for word in (b"/ws", b"/stream", b"/poll"))

        await eventually(tried, "each transport is tried", within_s=20)
        await eventually(lambda: client.state is State.OFFLINE, "it says that it is offline")
        assert watch.inbox.empty
    assert all(reasons[:1])


@pytest.mark.parametrize("garbled", GARBLED, ids=lambda frame: frame.decode().strip())
async def test_frames_that_are_none_end_the_connection_and_nothing_else(garbled: bytes) -> None:
    async with answering(STREAM + garbled) as (url, asked), WatchClient(url, transports=["sse"]) as client:
        watch = client.watch("a")
        await eventually(lambda: len(asked) == 2, "it has come back")
        assert watch.inbox.empty


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.get("a/b"),
        lambda client: client.put("a/b", 1),
        lambda client: client.delete("a/b"),
        lambda client: client.put_many("a", {"b": 1}),
    ],
    ids=["get", "put", "delete", "put_many"],
)
@pytest.mark.parametrize("answer", [HTML, OTHER_JSON, b""], ids=["html", "json", "nothing"])
async def test_an_answer_of_something_else_is_an_error_of_ours(
    answer: bytes, call: Callable[[WatchClient], asyncio.Future[object]]
) -> None:
    async with answering(answer) as (url, _), WatchClient(url) as client:
        with pytest.raises(WatchError, match="unreachable"):
            await call(client)
