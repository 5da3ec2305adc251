"""Watches over TLS: the same hand-off, another transport."""

import asyncio
import ssl
from typing import Final

import pytest

from services.pushserver.app import PushServer
from services.pushserver.channel import Channel
from services.pushserver.handoff import HandOffHttp, HandOffWebSocket
from shared.event import Event
from shared.serving import Listener
from tests.integration.handing_off import UPGRADE
from tests.support.server import HOST, RawClient, eventually, push_server

PING: Final = b"\x89\x80mask"
PONG: Final = b"\x8a\x00"


def context(side: int) -> ssl.SSLContext:
    """TLS without a certificate: nobody is who they say, but there is none to keep either."""
    made = ssl.SSLContext(side)
    made.maximum_version = ssl.TLSVersion.TLSv1_2
    made.set_ciphers("AECDH-AES256-SHA:@SECLEVEL=0")
    return made


async def connect(port: int) -> RawClient:
    trusting = context(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    return RawClient(*await asyncio.open_connection(HOST, port, ssl=trusting))


def served() -> tuple[PushServer, Channel]:
    server = push_server("127.0.0.1:1", {"items": {}})
    channel = Channel.empty(server.hub.catalog.get("items"), b"epoch", 1)
    server.hub.serve(channel)
    server.hub.broadcast(channel, [Event("a", 0, 0, 0, b'"old"')], {0: 1})
    return server, channel


@pytest.mark.parametrize(
    "request_bytes",
    [
        UPGRADE.replace(b"/ws", b"/v1/items/a") + PING,
        b"GET /v1/items/a/stream HTTP/1.1\r\nHost: here\r\n\r\n",
    ],
    ids=["websocket", "http"],
)
async def test_a_watch_over_tls_is_told_its_state_and_what_changes(request_bytes: bytes) -> None:
    server, channel = served()
    listener = Listener(
        server.app,
        host=HOST,
        port=0,
        http=HandOffHttp,
        ws=HandOffWebSocket,
        ssl_context_factory=lambda *_: context(ssl.PROTOCOL_TLS_SERVER),
    )
    await listener.start()
    client = await connect(listener.port)
    client.send(request_bytes)
    await client.until(b'"old"')
    await client.until(b"synced")
    if request_bytes.endswith(PING):
        await client.until(PONG)
    for offset in range(1, 100):
        server.hub.broadcast(channel, [Event("a", 0, offset, 0, b'"new %d"' % offset)], {0: offset + 1})
    for offset in range(1, 100):
        await client.until(b'"new %d"' % offset)
    client.writer.transport.abort()
    await eventually(lambda: not len(server.hub.wheel), "the server has forgotten it")
    await listener.stop(1)
