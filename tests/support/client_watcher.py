"""One interface over all transports, so that one test runs over each of them."""

import asyncio
import contextlib
import json
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, Self, TypeVar

from tests.support.client_ask import Ask
from tests.support.recording import DEADLINE_S, End, Frame, Recording

T = TypeVar("T")

SMALL_BUFFER_BYTES: Final = 16 * 1024


def small_socket() -> socket.socket:
    """A socket with a small receive buffer, so that the server soon feels a reader that stops."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER_BYTES)
    return sock


class Refused(Exception):
    """The server answered a request to watch with an HTTP error."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        super().__init__(f"refused with {status}: {body[:500]!r}")

    @property
    def problem(self) -> dict[str, Any]:
        """The problem document."""
        document = json.loads(self.body)
        assert isinstance(document, dict)
        return document


class Watcher(ABC):
    """A client of one push server, which records all that comes until it is closed or cut."""

    transport: ClassVar[str]

    def __init__(self, url: str, ask: Ask) -> None:
        self.url = url
        self.ask = ask
        self.recording = Recording()
        self._pump: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, url: str, ask: Ask) -> Self:
        """Connect to the push server at `url`; raises Refused."""
        watcher = cls(url, ask)
        await watcher._connect()
        watcher._pump = asyncio.create_task(watcher._run(), name=f"{cls.transport} of {ask.watches}")
        return watcher

    @property
    def frames(self) -> list[Frame]:
        """Every frame so far."""
        return self.recording.frames

    @property
    def data(self) -> list[Frame]:
        """Every put and delete so far."""
        return self.recording.data

    @property
    def story(self) -> list[Frame]:
        """Every frame that tells of a watch so far: no acknowledgements, no heartbeats."""
        return self.recording.story

    @property
    def cursor(self) -> str | None:
        """What to resume from, as a client of this transport would know it."""
        return self.recording.cursor

    async def wait_for(
        self, predicate: Callable[[Frame], bool], timeout_s: float = DEADLINE_S, *, after: int = 0
    ) -> Frame:
        """See Recording."""
        return await self.recording.wait_for(predicate, timeout_s, after=after)

    async def until(self, condition: Callable[[Recording], T], timeout_s: float = DEADLINE_S) -> T:
        """See Recording."""
        return await self.recording.until(condition, timeout_s)

    async def wait_synced(self, timeout_s: float = DEADLINE_S) -> None:
        """Return once the initial state of every watch (or what a resume brings) is there."""
        wanted = len(self.ask.watches)
        await self.until(lambda seen: sum(f["event"] == "synced" for f in seen.frames) >= wanted, timeout_s)

    async def close(self) -> None:
        """Say goodbye, where the transport has one, and forget the connection."""
        await self._disconnect()
        await self._settle()

    async def cut(self) -> None:
        """Drop the connection as a dying network would."""
        self._abort()
        await self._settle()

    @abstractmethod
    async def _connect(self) -> None:
        """Get the first answer of the server, or raise Refused."""

    @abstractmethod
    async def _receive(self) -> End:
        """Record all that comes; return at the end of the watch."""

    @abstractmethod
    async def _disconnect(self) -> None:
        """Leave politely."""

    @abstractmethod
    def _abort(self) -> None:
        """Leave rudely."""

    async def _run(self) -> None:
        end = End(0, "the client stopped")
        try:
            end = await self._receive()
        finally:
            self.recording.finish(end)

    async def _settle(self) -> None:
        if self._pump is not None:
            self._pump.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pump
        self.recording.finish(End(0, "closed by the client"))


class Gate:
    """Whether a watcher reads what its socket holds; it can be shut to play the slow reader."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()

    def shut(self) -> None:
        """Stop reading, soon."""
        self._open.clear()

    def open(self) -> None:
        """Read on."""
        self._open.set()

    async def passed(self) -> None:
        """Return when reading is allowed."""
        await self._open.wait()
