"""Long poll: frames as soon as there is one, else nothing after a while; and the wait for one resource to change."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgpack
import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.pushserver.close import CloseReason
from services.pushserver.group import NO_SOCKET
from services.pushserver.subscriber import Subscriber
from services.pushserver.subscription import WatchRequest
from services.pushserver.transports.reception import Reception
from services.pushserver.transports.request import JSON, MAX_WAIT_S, MSGPACK, Asked, negotiate
from services.pushserver.turns import Turns
from services.pushserver.wire import LINES, PACKED, Wire
from shared.problem import Problem

_HEADERS: Final = {"Cache-Control": "no-store", "Vary": "Accept"}


class Gathering:
    """A sink that gathers frames until somebody takes them.

    `opened` is set once every watch is live, `done` once there is a frame to answer with, or the end, whose `reason`
    is set then.
    """

    socket = NO_SOCKET

    def __init__(self, turns: Turns, limit_bytes: int) -> None:
        self.opened = asyncio.Event()
        self.done = asyncio.Event()
        self.subscriber: Subscriber
        self._turns = turns
        self._limit_bytes = limit_bytes
        self._size = 0
        self._ended_at: str | None = None
        self.reason: CloseReason | None = None
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Gather; beyond the limit nothing more is kept, and `take` says so."""
        self._size += len(data)
        if self._size <= self._limit_bytes:
            self._pieces.append(data)
        if self.subscriber.caught_up:
            self.done.set()

    def take(self) -> bytes:
        """All that was gathered; raises Problem `too_large`."""
        if self._size > self._limit_bytes:
            detail = f"a poll tells at most {self._limit_bytes} bytes: use an event stream, a WebSocket or a listing"
            raise Problem("too_large", detail)
        return b"".join(self._pieces)

    @property
    def cursor(self) -> str | None:
        """How far what was gathered reaches: who has ended is told nothing more, and the hub reads on."""
        return self._ended_at if self.subscriber.ended else self.subscriber.cursor()

    def close(self, reason: CloseReason, cursor: str | None) -> None:
        """The subscriber has ended."""
        self.reason = reason
        self._ended_at = cursor
        self.opened.set()
        self.done.set()

    def finish(self, data: bytes, written: int) -> None:
        """Nothing: there is no socket."""

    def cut(self) -> None:
        """Nothing: what was gathered before may be told."""

    def wake(self) -> None:
        """Pump soon."""
        self._turns.ask(self)

    def pump(self) -> bool:
        """Write what waits."""
        more = self.subscriber.pump()
        if not more:
            self.opened.set()
        return more

    def mind_stall(self, now: float, stalled_s: float) -> None:
        """Nothing: a poll ends by itself."""


async def poll(reception: Reception, asked: Asked, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer `/poll`; raises Problem as long as nothing was sent."""
    wait_s = asked.number("wait", reception.settings.poll_wait_s, low=0, high=MAX_WAIT_S)
    kind = negotiate(asked.accept, JSON, MSGPACK)
    await reception.settle(asked)
    wires = PACKED if kind == MSGPACK else LINES
    with _held(reception, asked, wires[asked.format]) as gathering:
        await _wait(gathering, receive, wait_s)
        body = _body(gathering.take(), gathering.cursor or asked.watches[0].cursor, packed=kind == MSGPACK)
    await Response(body, headers={**_HEADERS, "Content-Type": kind})(scope, receive, send)


async def wait_for_change(reception: Reception, asked: Asked, receive: Receive, wait_s: float) -> None:
    """Return when the resource changes, the time is over, or the client is gone."""
    changes = asked._replace(watches=(WatchRequest(asked.watch, snapshot=False),))
    with _held(reception, changes, LINES["compact"]) as gathering:
        gathering.done.clear()
        await _wait(gathering, receive, wait_s)


@contextmanager
def _held(reception: Reception, asked: Asked, wire: Wire) -> Iterator[Gathering]:
    with reception.polling():
        gathering = Gathering(reception.turns, reception.settings.poll_max_bytes)
        subscriber = gathering.subscriber = reception.subscriber(wire, gathering, together=True, quiet=True)
        reception.open(subscriber, asked)
        try:
            if gathering.pump():
                gathering.wake()
            yield gathering
        finally:
            if gathering.reason is not None:
                reception.ended(asked.principal, gathering.reason)
            reception.leave(subscriber)


async def _wait(gathering: Gathering, receive: Receive, wait_s: float) -> None:
    """Until every watch is live, and then until there is something to tell, the time is over, or the client is gone."""
    gone = asyncio.create_task(_disconnected(receive))
    try:
        for event, timeout_s in ((gathering.opened, MAX_WAIT_S), (gathering.done, wait_s)):
            if not event.is_set() and not gone.done():
                waiting = asyncio.create_task(event.wait())
                await asyncio.wait((gone, waiting), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
                waiting.cancel()
    finally:
        gone.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _body(gathered: bytes, cursor: str | None, *, packed: bool) -> bytes:
    if not packed:
        tail = orjson.dumps({"cursor": cursor})[1:]
        return b'{"frames":[' + b",".join(gathered.splitlines()) + b"]," + tail
    unpacker = msgpack.Unpacker()
    unpacker.feed(gathered)
    body: bytes = msgpack.packb({"frames": list(unpacker), "cursor": cursor})
    return body
