"""A DNS server that knows one name, and what a test says about it."""

import asyncio
import socket
import struct
from typing import Final, Self

from infra.cluster.process import HOST
from tests.support.fleet import free_port

_HEADER_BYTES: Final = 12
_ANSWER: Final = 0x8580
_A: Final = 1
_IN: Final = 1
_TO_THE_QUESTION: Final = 0xC00C


class NameServer(asyncio.DatagramProtocol):
    """Answers every question for addresses with `addresses`; an async context manager."""

    def __init__(self) -> None:
        self.addresses: list[str] = []
        self.port = free_port()
        self._transport: asyncio.DatagramTransport | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(HOST, self.port))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._transport is not None
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Nothing is to be done."""

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer one question."""
        name_end = data.index(0, _HEADER_BYTES) + 1
        question = data[_HEADER_BYTES : name_end + 4]
        asked = struct.unpack("!H", data[name_end : name_end + 2])[0]
        told = self.addresses if asked == _A else []
        header = data[:2] + struct.pack("!HHHHH", _ANSWER, 1, len(told), 0, 0)
        record = struct.pack("!HHHIH", _TO_THE_QUESTION, _A, _IN, 1, 4)
        assert self._transport is not None
        self._transport.sendto(header + question + b"".join(record + socket.inet_aton(each) for each in told), addr)
