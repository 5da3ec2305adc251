"""Byte by byte: how a push server answers handshakes, what is none, and what is no HTTP."""

from collections.abc import AsyncIterator
from typing import Any, Final

import orjson
import pytest
import pytest_asyncio

from services.pushserver.app import PushServer
from services.pushserver.channel import Channel
from services.pushserver.successor import EXTENSION
from shared.event import Event
from tests.support.server import RawClient, eventually, push_server

UPGRADE: Final = (
    b"GET /v1/watch/ws HTTP/1.1\r\nHost: here\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


@pytest.fixture(scope="module")
def server() -> PushServer:
    """A push server that needs no Kafka: what it serves was put there by hand."""
    server = push_server("127.0.0.1:1", {"items": {}})
    channel = Channel.empty(server.hub.catalog.get("items"), b"epoch", 1)
    server.hub.serve(channel)
    server.hub.broadcast(channel, [Event("a", 0, 0, 0, b"1")], {0: 1})
    return server


@pytest_asyncio.fixture(loop_scope="session")
async def raw(server: PushServer) -> AsyncIterator[RawClient]:
    """A connection on which nothing was said yet."""
    listener = server.listener()
    await listener.start()
    raw = await RawClient.connect(listener.port)
    yield raw
    await raw.close()
    await eventually(lambda: not listener.connections and not len(server.hub.wheel), "the server has forgotten it")
    await listener.stop(1)


class Counting:
    """A transport that counts writes, handed to a successor in place of its own."""

    def __init__(self, successor: Any) -> None:
        self.writes: list[bytes] = []
        self._successor = successor
        self._transport: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport or self._successor, name)

    def take_over(self, transport: Any, head: bytes) -> None:
        self._transport = transport
        transport.set_protocol(self._successor)
        self._successor.take_over(self, head)

    def write(self, data: bytes) -> None:
        self.writes.append(data)
        self._transport.write(data)


@pytest.mark.parametrize(
    ("request_bytes", "told"),
    [
        pytest.param(UPGRADE.replace(b"watch/ws", b"items/a"), b'"synced"', id="websocket"),
        pytest.param(UPGRADE, b"101", id="a websocket without a watch"),
        pytest.param(b"GET /v1/items/stream HTTP/1.1\r\nHost: here\r\n\r\n", b"synced", id="http"),
    ],
)
async def test_a_head_leaves_with_what_there_is_to_tell_in_one_write(
    server: PushServer, request_bytes: bytes, told: bytes
) -> None:
    counted: list[Counting] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        give = scope["extensions"][EXTENSION]

        def count(head: Any, successor: Any) -> None:
            counted.append(Counting(successor))
            give(head, counted[-1])

        scope["extensions"][EXTENSION] = count
        await server.app(scope, receive, send)

    listener = server.listener(app)
    await listener.start()
    client = await RawClient.connect(listener.port)
    client.send(request_bytes)
    await client.until(told)
    assert [write.startswith(b"HTTP/1.1 ") and told in write for write in counted[0].writes] == [True]
    await client.close()
    await listener.stop(1)


async def test_what_is_no_http_gets_a_problem_document(raw: RawClient) -> None:
    raw.send(b"\x16\x03\x01 is TLS\r\n\r\n")
    head, _, body = (await raw.rest()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"Content-Type: application/problem+json" in head
    assert orjson.loads(body)["code"] == "invalid"


@pytest.mark.parametrize(
    ("old", "new", "status", "code"),
    [
        (b"Version: 13", b"Version: 8", b"426 Upgrade Required", "upgrade_required"),
        (b"Sec-WebSocket-Version: 13\r\n", b"", b"426 Upgrade Required", "upgrade_required"),
        (b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", b"", b"400 Bad Request", "invalid"),
        (b"dGhlIHNhbXBsZSBub25jZQ==", b"short", b"400 Bad Request", "invalid"),
        (b"GET", b"POST", b"405 Method Not Allowed", "method_not_allowed"),
        (b"GET", b"HEAD", b"405 Method Not Allowed", "method_not_allowed"),
        (b"HTTP/1.1", b"HTTP/1.0", b"400 Bad Request", "invalid"),
        (b"Host: here\r\n", b"", b"400 Bad Request", "invalid"),
        (b"/watch/ws", b"/items/stream", b"400 Bad Request", "invalid"),
        (b"/watch/ws", b"/nothing/a", b"404 Not Found", "not_found"),
        (b"\r\n\r\n", b"\r\nSec-WebSocket-Protocol: chat\r\n\r\n", b"400 Bad Request", "invalid"),
    ],
    ids=[
        "another version",
        "no version",
        "no key",
        "a key too short",
        "another method",
        "HEAD",
        "HTTP/1.0",
        "no host",
        "no address of a WebSocket",
        "no such collection",
        "another subprotocol",
    ],
)
async def test_a_bad_handshake_gets_a_problem_document(
    raw: RawClient, old: bytes, new: bytes, status: bytes, code: str
) -> None:
    raw.send(UPGRADE.replace(old, new))
    head, _, body = (await raw.rest()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 " + status)
    assert orjson.loads(body)["code"] == code
    assert (b"sec-websocket-version: 13" in head.lower()) == (code == "upgrade_required")
