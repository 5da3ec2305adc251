"""Byte by byte: frames of WebSocket clients (RFC 6455), and streams without chunks."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from typing import Any, Final

import orjson
import pytest
import pytest_asyncio

from services.pushserver.app import PushServer
from services.pushserver.channel import Channel
from shared.event import Event
from shared.serving import Listener
from tests.support.server import RawClient, eventually, push_server

MAX_BYTES: Final = 100_000
TCP_NOTSENT_LOWAT: Final = 25
MASK: Final = b"\x11\x22\x33\x44"
FIN: Final = 0x80
CONT, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
UPGRADE: Final = (
    b"GET /v1/watch/ws HTTP/1.1\r\nHost: here\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def frame(opcode: int, payload: bytes, *, fin: bool = True, masked: bool = True) -> bytes:
    """A frame with the shortest length that does."""
    head = bytes([opcode | (FIN if fin else 0)])
    bit = 0x80 if masked else 0
    if len(payload) < 126:
        head += bytes([bit | len(payload)])
    elif len(payload) < 65_536:
        head += struct.pack(">BH", bit | 126, len(payload))
    else:
        head += struct.pack(">BQ", bit | 127, len(payload))
    if not masked:
        return head + payload
    return head + MASK + bytes(byte ^ MASK[index % 4] for index, byte in enumerate(payload))


class RawSocket(RawClient):
    """A WebSocket client that may say anything."""

    def send_op(self, **members: object) -> None:
        self.send(frame(TEXT, orjson.dumps(members)))

    async def receive(self) -> tuple[int, bytes]:
        """Opcode and payload of the next frame, which must be whole and unmasked."""
        async with asyncio.timeout(5):
            first, length = await self.reader.readexactly(2)
            assert first & FIN
            assert not length & 0x80, "a server masks nothing"
            if length == 126:
                length = struct.unpack(">H", await self.reader.readexactly(2))[0]
            elif length == 127:
                length = struct.unpack(">Q", await self.reader.readexactly(8))[0]
            return first & 0x0F, await self.reader.readexactly(length)

    async def closed_with(self) -> int:
        """The code of the close frame, which is the next one; the client answers it, and the server hangs up."""
        opcode, payload = await self.receive()
        assert opcode == CLOSE, (opcode, payload)
        self.send(frame(CLOSE, payload[:2]))
        assert await self.rest() == b""
        return int.from_bytes(payload[:2])

    async def pong(self, ref: object) -> None:
        """The answer to an `op: ping`."""
        opcode, payload = await self.receive()
        assert (opcode, orjson.loads(payload)) == (TEXT, {"event": "pong", "ref": ref})


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def served() -> AsyncIterator[tuple[PushServer, Listener]]:
    """A push server that needs no Kafka: what it serves was put there by hand."""
    server = push_server(
        "127.0.0.1:1", {"items": {}}, max_message_bytes=MAX_BYTES, dead_peer_s=7, unsent_bytes=12_345, reconnect_ms=0
    )
    channel = Channel.empty(server.hub.catalog.get("items"), b"epoch", 1)
    server.hub.serve(channel)
    server.hub.broadcast(channel, [Event("a", 0, 0, 0, b"1")], {0: 1})
    listener = server.listener()
    await listener.start()
    yield server, listener
    await listener.stop(1)


@pytest_asyncio.fixture(loop_scope="session")
async def raw(served: tuple[PushServer, Listener]) -> AsyncIterator[RawSocket]:
    """A connection on which nothing was said yet."""
    raw = await RawSocket.connect(served[1].port)
    yield raw
    await raw.close()
    await eventually(lambda: not len(served[0].hub.wheel), "the server has forgotten it")


@pytest_asyncio.fixture(loop_scope="session")
async def client(raw: RawSocket) -> RawSocket:
    """A WebSocket after its handshake."""
    raw.send(UPGRADE)
    head = await raw.until(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 ")
    return raw


async def test_each_connection_has_the_options_of_its_listening_socket(
    client: RawSocket, served: tuple[PushServer, Listener]
) -> None:
    (subscriber,) = served[0].hub.wheel
    connection: Any = subscriber.sink
    accepted = connection.transport.get_extra_info("socket")
    wanted = {socket.TCP_NODELAY: 1, socket.TCP_USER_TIMEOUT: 7000, TCP_NOTSENT_LOWAT: 12_345}
    assert {option: accepted.getsockopt(socket.IPPROTO_TCP, option) for option in wanted} == wanted


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, MAX_BYTES - 100])
@pytest.mark.parametrize("piece", [None, 1000], ids=["at once", "in pieces"])
async def test_a_masked_message_of_every_length_class_is_read(client: RawSocket, size: int, piece: int | None) -> None:
    padding = " " * max(0, size - len('{"op":"ping","ref":1}'))
    data = frame(TEXT, b'{"op":"ping","ref":1}' + padding.encode())
    for start in range(0, len(data), piece or len(data)):
        client.send(data[start : start + (piece or len(data))])
        await client.writer.drain()
        await asyncio.sleep(0)
    await client.pong(1)


async def test_several_messages_in_one_piece_are_answered_in_order(client: RawSocket) -> None:
    client.send(b"".join(frame(TEXT, orjson.dumps({"op": "ping", "ref": number})) for number in range(50)))
    for number in range(50):
        await client.pong(number)


async def test_one_byte_at_a_time_is_a_message_too(client: RawSocket) -> None:
    for byte in frame(TEXT, b'{"op":"ping","ref":1}'):
        client.send(bytes([byte]))
        await client.writer.drain()
        await asyncio.sleep(0)
    await client.pong(1)


async def test_a_fragmented_message_is_put_together_around_a_ping(client: RawSocket) -> None:
    client.send(frame(TEXT, b'{"op":"pi', fin=False))
    client.send(frame(CONT, b"", fin=False))
    client.send(frame(PING, b"are you there"))
    client.send(frame(CONT, b'ng","ref":', fin=False))
    client.send(frame(CONT, '"é"}'.encode()[:2], fin=False) + frame(CONT, '"é"}'.encode()[2:]))
    assert await client.receive() == (PONG, b"are you there")
    await client.pong("é")


async def test_a_ping_is_answered_with_its_payload_and_a_pong_with_nothing(client: RawSocket) -> None:
    for payload in (b"", b"\x00\xff" * 62):
        client.send(frame(PONG, payload))
        client.send(frame(PING, payload))
        assert await client.receive() == (PONG, payload)


@pytest.mark.parametrize(
    "payload", [b"", b"\x03\xe8", b"\x03\xe8bye", b"\x0f\xa0"], ids=["no code", "1000", "why", "4000"]
)
async def test_a_close_of_the_client_is_answered_in_kind(client: RawSocket, payload: bytes) -> None:
    client.send(frame(CLOSE, payload))
    assert await client.receive() == (CLOSE, payload[:2])
    assert await client.rest() == b""


async def test_a_close_of_the_server_waits_for_that_of_the_client(
    client: RawSocket, served: tuple[PushServer, Listener]
) -> None:
    client.send_op(op="subscribe", watch="items/a")
    assert orjson.loads((await client.receive())[1])["event"] == "put"
    assert orjson.loads((await client.receive())[1])["event"] == "synced"
    (subscriber,) = served[0].hub.wheel
    served[0].reception.overlap.send_away(subscriber)
    events = [orjson.loads((await client.receive())[1]) for _ in range(2)]
    assert [event["event"] for event in events] == ["bookmark", "goaway"]
    assert events[1]["reconnect_in_ms"] == 0
    client.send_op(op="ping", ref="ignored: it came after the end")
    assert await client.closed_with() == 1012


@pytest.mark.parametrize(
    ("code", "data"),
    [
        pytest.param(1002, frame(TEXT, b"{}", masked=False), id="unmasked"),
        pytest.param(1002, frame(CONT, b"{}"), id="a continuation of nothing"),
        pytest.param(1002, frame(TEXT, b"{", fin=False) + frame(TEXT, b"}"), id="a message within a message"),
        pytest.param(1002, frame(0x3, b""), id="an opcode that is none"),
        pytest.param(1002, frame(TEXT | 0x40, b"{}"), id="a reserved bit"),
        pytest.param(1002, frame(PING, b"x" * 126), id="a long ping"),
        pytest.param(1002, frame(PING, b"", fin=False), id="a fragmented ping"),
        pytest.param(1002, frame(CLOSE, b"\x03"), id="half a close code"),
        pytest.param(1002, frame(CLOSE, b"\x03\xed"), id="a close code that is never sent"),
        pytest.param(1007, frame(TEXT, b'"\xff"'), id="no UTF-8"),
        pytest.param(1007, frame(TEXT, b'"\xc3', fin=False) + frame(CONT, b'"'), id="no UTF-8 over two frames"),
        pytest.param(1007, frame(CLOSE, b"\x03\xe8\xff"), id="no UTF-8 in a close reason"),
        pytest.param(1009, frame(TEXT, b" " * (MAX_BYTES + 1))[:20], id="too large, told before it has come"),
        pytest.param(1009, frame(TEXT, b" " * 60_000, fin=False) * 1 + frame(CONT, b" " * 60_000), id="large in all"),
    ],
)
async def test_a_breach_of_the_protocol_is_told_by_its_close_code(client: RawSocket, code: int, data: bytes) -> None:
    client.send(data)
    opcode, payload = await client.receive()
    assert (opcode, int.from_bytes(payload[:2])) == (CLOSE, code)


async def test_after_a_breach_nothing_of_the_client_is_done(client: RawSocket) -> None:
    client.send(frame(TEXT, b"{}", masked=False) + frame(TEXT, b'{"op":"ping","ref":1}'))
    client.send_op(op="ping", ref=2)
    assert await client.closed_with() == 1002


async def test_a_binary_message_is_no_operation_in_json(client: RawSocket) -> None:
    client.send(frame(BINARY, b'{"op":"ping","ref":1}'))
    opcode, payload = await client.receive()
    assert (opcode, orjson.loads(payload)["code"]) == (TEXT, "invalid")


async def test_an_event_stream_over_http_1_0_has_no_chunks(raw: RawSocket, served: tuple[PushServer, Listener]) -> None:
    raw.send(b"GET /v1/items/stream HTTP/1.0\r\n\r\n")
    head = await raw.until(b"\r\n\r\n")
    assert b"transfer-encoding" not in head.lower()
    assert b"connection: close" in head.lower()
    assert await raw.until(b"\n\n") == b"retry: 2000\n\n"
    assert (await raw.until(b"\n\n")).startswith(b"event: put\ndata: {")
    assert (await raw.until(b"\n\n")).startswith(b"event: synced\n")
    (subscriber,) = served[0].hub.wheel
    served[0].reception.overlap.send_away(subscriber)
    rest = await raw.rest()
    assert rest.startswith(b"event: bookmark\n")
    assert rest.endswith(b"}\n\n"), "no last chunk either"
