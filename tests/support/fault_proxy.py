"""A TCP proxy that plays a bad network: slow, narrow, cut, or gone without a word."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final, Self, TypeAlias

from infra.cluster.port import ReservedPort
from infra.cluster.process import HOST

_PIECE_BYTES: Final = 64 * 1024

Streams: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Dial: TypeAlias = Callable[[], Awaitable[Streams]]


class FaultProxy:
    """Listens at `address`, and passes on what comes to what `dial` connects to; an async context manager.

    `delay_s` is waited before each piece is passed on; `bytes_per_s` is the most that passes in each direction of a
    connection, 0 for no limit. Both may be changed at any moment. Counted are the connections that were `accepted`, and
    `refused` of them, and the pieces that were `held_back`.
    """

    def __init__(self, dial: Dial) -> None:
        self.delay_s = 0.0
        self.bytes_per_s = 0
        self.accepted = 0
        self.refused = 0
        self.held_back = 0
        self._dial = dial
        self._port = ReservedPort()
        self._cut = False
        self._lines: set[_Line] = set()
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port.number

    @property
    def address(self) -> str:
        """`host:port`."""
        return self._port.address

    @property
    def connections(self) -> int:
        """How many there are."""
        return len(self._lines)

    @property
    def forgotten(self) -> int:
        """How many of them will never carry a byte again."""
        return sum(line.dead for line in self._lines)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, HOST, self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await asyncio.gather(*(line.over.wait() for line in self._lines))
        self._port.release()

    def cut(self) -> None:
        """Reset every connection, and each new one at once, until `mend`."""
        self._cut = True
        for line in list(self._lines):
            line.abort()

    def forget(self) -> None:
        """Never pass anything on again for the connections that there are, and tell neither side: half-open."""
        for line in self._lines:
            line.dead = True

    def mend(self) -> None:
        """A good network again, but for connections that were forgotten."""
        self.delay_s, self.bytes_per_s, self._cut = 0.0, 0, False

    async def carry(self, piece: bytes) -> None:
        """Take the time that the network takes for a piece."""
        if wait_s := self.delay_s + (len(piece) / self.bytes_per_s if self.bytes_per_s else 0.0):
            self.held_back += 1
            await asyncio.sleep(wait_s)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        if self._cut:
            self.refused += 1
            writer.transport.abort()
            return
        try:
            there = await self._dial()
        except OSError:
            writer.transport.abort()
            return
        line = _Line(self, (reader, writer), there)
        self._lines.add(line)
        await line.run()
        self._lines.discard(line)


class _Line:
    """One connection through the proxy. A `dead` one carries nothing, and reads no end either: nobody is told."""

    def __init__(self, proxy: FaultProxy, here: Streams, there: Streams) -> None:
        self.dead = False
        self.over = asyncio.Event()
        self._proxy = proxy
        self._here, self._there = here, there
        self._passing: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        """Pass on in both directions until either side has ended, or it is aborted."""
        (from_client, to_client), (from_server, to_server) = self._here, self._there
        self._passing = [
            asyncio.create_task(self._pass(from_client, to_server)),
            asyncio.create_task(self._pass(from_server, to_client)),
        ]
        try:
            await asyncio.wait(self._passing, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.abort()
            self.over.set()
        await asyncio.gather(*self._passing, return_exceptions=True)

    def abort(self) -> None:
        """Reset both sides, and stop."""
        for _, writer in (self._here, self._there):
            writer.transport.abort()
        for task in self._passing:
            task.cancel()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while (piece := await reader.read(_PIECE_BYTES)) or self.dead:
                await self._proxy.carry(piece)
                if self.dead:
                    await asyncio.Event().wait()
                writer.write(piece)
                await writer.drain()
