"""Clients that come through the front door: TLS, a source address of their own, and cookies, if they keep any.

They trust what `SSL_CERT_FILE` names, as every program does that uses OpenSSL.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

import aiohttp

from tests.support.client_ask import Ask
from tests.support.client_http import Answer, Http
from tests.support.client_poll import LongPollWatcher
from tests.support.client_sse import SseWatcher
from tests.support.client_watcher import Watcher
from tests.support.client_websocket import WebSocketWatcher

COOKIE: Final = "watchroute"


class DoorHttp(Http):
    """Plain requests from `source`; keeps cookies when `cookies` is true."""

    def __init__(self, url: str, *, source: str = "127.0.0.1", cookies: bool = False) -> None:
        self.url = url
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=40),
            connector=aiohttp.TCPConnector(ssl=ssl.create_default_context(), local_addr=(source, 0)),
            cookie_jar=aiohttp.CookieJar() if cookies else aiohttp.DummyCookieJar(),
        )

    async def cookie(self, target: str) -> str:
        """The cookie that comes with the answer to a GET, or else was kept; the answer must be 200."""
        answer = await self.get(target)
        assert answer.status == 200, (answer.status, answer.body[:300])
        kept = {cookie.key: cookie.value for cookie in self._session.cookie_jar}
        return given_cookie(answer) or kept[COOKIE]


def server_in(cookie: str) -> str:
    """The part of a cookie that stands for the server."""
    return cookie.partition("|")[0]


def birth_in(cookie: str) -> str:
    """The part of a cookie that says when it was first given; between the two is when it was last seen."""
    return cookie.rpartition("|")[2]


def given_cookie(answer: Answer) -> str | None:
    """The value of the door's cookie that an answer sets."""
    for header in answer.headers.getall("Set-Cookie", []):
        name, _, value = header.partition(";")[0].partition("=")
        if name == COOKIE:
            return value
    return None


class DoorSse(SseWatcher):
    """An event stream through the door."""

    def _new_session(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(ssl=ssl.create_default_context())
        return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None, sock_connect=5), connector=connector)


class DoorPoll(LongPollWatcher):
    """Long polls through the door."""

    def __init__(self, url: str, ask: Ask) -> None:
        Watcher.__init__(self, url, ask)
        self.http = DoorHttp(url)
        self.answers = 0


TRANSPORTS: Final[Mapping[str, type[Watcher]]] = {
    "sse": DoorSse,
    "websocket": WebSocketWatcher,
    "longpoll": DoorPoll,
}


class Curl:
    """`curl` over HTTP/2: what it has printed so far; an async context manager."""

    def __init__(self, ca: Path, url: str, *options: str) -> None:
        self._command = ("curl", "--http2", "--silent", "--no-buffer", "--include", "--cacert", str(ca), *options, url)
        self._process: asyncio.subprocess.Process | None = None
        self.seen = b""

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(*self._command, stdout=asyncio.subprocess.PIPE)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.kill()
        await self._process.communicate()

    async def until(self, text: bytes, within_s: float = 10) -> bytes:
        """All that came, once `text` is in it."""
        async with asyncio.timeout(within_s):
            while text not in self.seen:
                piece = await self._output.read(65536)
                assert piece, f"the answer ended without {text!r}: {self.seen!r}"
                self.seen += piece
        return self.seen

    async def whole(self, within_s: float = 10) -> bytes:
        """The whole answer."""
        async with asyncio.timeout(within_s):
            self.seen += await self._output.read()
        return self.seen

    @property
    def _output(self) -> asyncio.StreamReader:
        assert self._process is not None
        assert self._process.stdout is not None
        return self._process.stdout


@asynccontextmanager
async def tls_connection(
    url: str, source: str = "127.0.0.1"
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection of which the client decides every byte."""
    parts = urlsplit(url)
    connected = await asyncio.open_connection(
        parts.hostname, parts.port, ssl=ssl.create_default_context(), local_addr=(source, 0)
    )
    try:
        yield connected
    finally:
        connected[1].transport.abort()
