"""Something between a client and a server that lets no WebSocket through."""

import asyncio
import contextlib
from typing import Final, Self
from urllib.parse import urlsplit

from infra.cluster.process import HOST

_REFUSED: Final = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"


class UpgradeRefusingProxy:
    """Passes requests on as they are, but for upgrades, which it refuses in its own words; `refused` counts them.

    Once it is `mended` it passes them on, too.

    If it `buffers`, what answers event streams is kept until they end: `kept` counts them.
    """

    def __init__(self, url: str, *, buffers: bool = False) -> None:
        self._buffers = buffers
        self.kept = 0
        parts = urlsplit(url)
        self._there = parts.hostname, parts.port
        self._server: asyncio.Server | None = None
        self._passing: set[asyncio.Task[None]] = set()
        self.refused = 0
        self.mended = False

    @property
    def url(self) -> str:
        """Where it is."""
        assert self._server is not None
        return f"http://{HOST}:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, HOST, 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            writer.close()
            return
        if not self.mended and b"upgrade: websocket" in head.lower():
            self.refused += 1
            writer.write(_REFUSED)
            writer.close()
            return
        from_server, to_server = await asyncio.open_connection(*self._there)
        to_server.write(head)
        streams = self._buffers and b"/stream" in head.partition(b"\r\n")[0]
        self.kept += streams
        for source, sink, kept in ((reader, to_server, False), (from_server, writer, streams)):
            task = asyncio.create_task(_pass_on(source, sink, kept=kept))
            self._passing.add(task)
            task.add_done_callback(self._passing.discard)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, kept: bool) -> None:
    try:
        with contextlib.suppress(ConnectionError):
            while piece := await (reader.read() if kept else reader.read(64 * 1024)):
                writer.write(piece)
                await writer.drain()
    finally:
        writer.close()
