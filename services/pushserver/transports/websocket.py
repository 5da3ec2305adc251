"""WebSocket: one watch by its URL, and as many as wanted by operations (RFC 6455)."""

import asyncio
from collections import deque
from typing import Any, Final

import msgpack
from starlette.types import Scope
from websockets.frames import Opcode

from services.pushserver import frames
from services.pushserver.close import (
    CLIENT_CLOSED,
    DEAD_PEER,
    INTERNAL,
    PROTOCOL,
    RATE_LIMITED,
    WS_REASON_BYTES,
    CloseReason,
)
from services.pushserver.session import MAX_MISTAKES, CatchUp, Publish, Renew, Session
from services.pushserver.successor import EXTENSION
from services.pushserver.transports.connection import Connection
from services.pushserver.transports.inbound import Inbound, Message, Violation
from services.pushserver.transports.peer import to_be_pinged
from services.pushserver.transports.reception import Reception
from services.pushserver.transports.request import Asked
from services.pushserver.wire import WS_JSON, WS_MSGPACK, ws_frame
from shared.bucket import Bucket
from shared.principal import Principal
from shared.problem import Problem
from shared.telemetry import logger
from shared.value import MAX_DEPTH, MalformedValue, check_json

log = logger("websocket")
JSON_PROTOCOL: Final = "watch.v1.json"
MSGPACK_PROTOCOL: Final = "watch.v1.msgpack"
_PING: Final = 0x89
_PONG: Final = 0x8A
_CLOSE: Final = 0x88
_CLOSING_S: Final = 5.0
_AT_ONCE: Final = 16
"""Operations of one client that are done before others get their turn."""
_MAX_WAITING: Final = 4096
"""Operations that wait for the client's turn, or for one before them; reading pauses then: one read brought them."""


class SocketConnection(Connection):
    """A WebSocket after its handshake."""

    __slots__ = ("_bucket", "_closing", "_inbound", "_pinged_at", "_task", "_waiting", "binary", "session")

    def __init__(self, reception: Reception, principal: Principal, *, binary: bool) -> None:
        super().__init__(reception, principal)
        self.binary = binary
        self.session: Session
        self._inbound: Inbound | None = None
        self._waiting: deque[Message] | None = None
        self._task: asyncio.Task[None] | None = None
        self._bucket: Bucket | None = None
        self._closing = False
        self._pinged_at = 0.0

    def data_received(self, data: bytes) -> None:
        """Take bytes from the client, each of which is a sign of life."""
        self._pinged_at = 0.0
        inbound = self._inbound = self._inbound or Inbound(self.reception.settings.max_message_bytes)
        try:
            for number, message in enumerate(inbound.feed(data)):
                if number < _AT_ONCE and self._task is None and not self._waiting:
                    self._on_message(message)
                else:
                    self._wait_with(message)
        except Violation as violation:
            self.subscriber.end(violation.reason)
            self._inbound = None
            return
        self._inbound = None if inbound.idle else inbound
        if self._waiting and self._task is None:
            self.transport.pause_reading()
            self.wake()

    def pump(self) -> bool:
        """Its turn has come: do the next operations that wait, and write what waits."""
        self._go_on()
        return super().pump() or (bool(self._waiting) and self._task is None)

    def pause_writing(self) -> None:
        """The socket is full: who doesn't read the answers isn't asked for more."""
        super().pause_writing()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """The socket takes bytes again."""
        super().resume_writing()
        self._read_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        if self._task is not None:
            self._task.cancel()
        super().connection_lost(exc)

    def close(self, reason: CloseReason, cursor: str | None) -> None:
        """Say goodbye; the client's own close, or a few seconds, end the connection."""
        if self._closing or self.transport.is_closing():
            return
        self._closing = True
        self.reception.ended(self.principal, reason)
        text = (cursor or "").encode() if reason.problem == "slow" else reason.name.encode()
        payload = reason.code.to_bytes(2) + (text if len(text) <= WS_REASON_BYTES else b"")
        self.transport.write(ws_frame(_CLOSE, payload))
        asyncio.get_running_loop().call_later(_CLOSING_S, self.transport.close)

    def mind_stall(self, now: float, stalled_s: float) -> None:
        """Cut a reader that has taken no byte for too long, and ping one that may be gone."""
        super().mind_stall(now, stalled_s)
        if not self._pinged_at and not self.subscriber.blocked and to_be_pinged(self.reception.settings):
            self._pinged_at = now
            self.write(ws_frame(_PING, b""))
            asyncio.get_running_loop().call_later(self.reception.settings.dead_peer_s, self._mind_silence, now)

    def _mind_silence(self, pinged_at: float) -> None:
        """Cut who has said nothing since this ping; who has stopped reading can't know of it."""
        if self._pinged_at != pinged_at or self.subscriber.ended:
            return
        self._pinged_at = 0.0
        if not self.subscriber.blocked:
            self.subscriber.end(DEAD_PEER)
            self.transport.abort()

    def _on_message(self, message: Message) -> None:
        if message.opcode is Opcode.CLOSE:
            self._on_close(message.data)
        elif self._closing:
            return
        elif message.opcode is Opcode.PING:
            self._too_much()
            self.write(ws_frame(_PONG, message.data))
        elif message.opcode is not Opcode.PONG:
            self._on_op(message)

    def _too_much(self) -> Problem | None:
        """Count a message: why it is one too many, or None. Who goes on all the same is cut."""
        settings = self.reception.settings
        rate, burst = settings.operations_per_s, settings.operations_burst
        now = asyncio.get_running_loop().time()
        bucket = self._bucket = self._bucket or Bucket(burst, now)
        if not rate or bucket.take(now, rate, burst):
            return None
        detail = f"a connection sends at most {rate:g} messages a second, {burst} at once"
        problem = Problem("rate_limited", detail, retry_in_ms=int(bucket.wait_s(rate) * 1000) + 1, limit="operations")
        if bucket.refusals > MAX_MISTAKES:
            self.subscriber.end(RATE_LIMITED, problem)
        return problem

    def _on_close(self, payload: bytes) -> None:
        if not self._closing:
            self._closing = True
            self.transport.write(ws_frame(_CLOSE, payload[:2]))
            reason = self.reception.overlap.reason_of(self.subscriber, CLIENT_CLOSED)
            self.reception.ended(self.principal, reason)
            self.subscriber.end(reason)
        self.transport.close()

    def _on_op(self, message: Message) -> None:
        too_much = self._too_much()
        try:
            op = _decode_op(message, binary=self.binary)
        except Problem as problem:
            self.session.refuse(problem)
            return
        outcome = self.session.on_op(op, too_much)
        if outcome is not None:
            self.transport.pause_reading()
            self._task = asyncio.get_running_loop().create_task(self._finish(outcome))

    def _wait_with(self, message: Message) -> None:
        waiting = self._waiting = self._waiting or deque()
        waiting.append(message)
        if len(waiting) > _MAX_WAITING:
            self.subscriber.end(PROTOCOL)

    def _go_on(self) -> None:
        for _ in range(_AT_ONCE):
            if self._waiting and self._task is None:
                self._on_message(self._waiting.popleft())
        self._read_on()

    def _read_on(self) -> None:
        """Ask the client for more, once it has read the answers and nothing of it waits."""
        if self._task is None and not self._waiting:
            self._waiting = None
            if not self.subscriber.blocked or self.subscriber.ended:
                self.transport.resume_reading()

    async def _finish(self, outcome: CatchUp | Publish | Renew) -> None:
        """Do what an operation waits for, then go on with those that came after it."""
        ref, watch = outcome.asked_as if isinstance(outcome, CatchUp) else (outcome.ref, None)
        try:
            if isinstance(outcome, Publish):
                self.subscriber.tell(await self._published(outcome))
            elif isinstance(outcome, Renew):
                await self._renew(outcome)
            else:
                await self.reception.catch_up(outcome)
                self.session.subscribe(outcome.request, settled=True)
        except Problem as problem:
            self.session.refuse(problem, ref, watch)
        except Exception:
            log.exception("an operation failed")
            self.subscriber.end(INTERNAL, Problem("internal", "the server's log has the details"))
            return
        self._task = None
        self._read_on()
        self.wake()

    async def _renew(self, outcome: Renew) -> None:
        token = outcome.token.get_secret_value()
        principal = await self.reception.gate.verify(token)
        self.session.check_same(principal)
        self.reception.renewed(self.subscriber, principal)
        self.session.renew(principal, token, outcome.ref)
        self.principal = principal

    async def _published(self, outcome: Publish) -> dict[str, Any]:
        if self.reception.publish is None:
            raise Problem("unavailable", "this push server knows no producer", outcome="not_written")
        answer = await self.reception.publish(outcome)
        return frames.ack(outcome.ref, resource=outcome.watch.label, **answer)


async def accept(reception: Reception, asked: Asked, scope: Scope) -> None:
    """Upgrade, and begin the watch that the URL names; raises Problem as long as nothing was sent."""
    protocol = _subprotocol(scope["subprotocols"])
    await reception.settle(asked)
    binary = protocol == MSGPACK_PROTOCOL
    wires = WS_MSGPACK if binary else WS_JSON
    connection = SocketConnection(reception, asked.principal, binary=binary)
    connection.subscriber = reception.subscriber(wires[asked.format], connection, together=False)
    connection.session = reception.open(connection.subscriber, asked)
    connection.session.hold(asked.token)
    headers = [*asked.told.items(), *([("Sec-WebSocket-Protocol", protocol)] if protocol else [])]
    hand_off: Any = scope["extensions"][EXTENSION]
    with reception.leaving_unless_taken_over(connection.subscriber):
        hand_off(headers, connection)


def _subprotocol(offered: list[str]) -> str | None:
    if not offered:
        return None
    for protocol in offered:
        if protocol in {JSON_PROTOCOL, MSGPACK_PROTOCOL}:
            return protocol
    raise Problem("invalid", f"the subprotocols are {JSON_PROTOCOL} and {MSGPACK_PROTOCOL}")


def _decode_op(message: Message, *, binary: bool) -> object:
    if (message.opcode is Opcode.BINARY) != binary:
        raise Problem("invalid", f"messages are {'binary' if binary else 'text'} here")
    try:
        if not binary:
            return check_json(message.data)
        return msgpack.unpackb(message.data, strict_map_key=True)
    except MalformedValue as malformed:
        raise Problem("invalid", f"an operation is JSON, nested at most {MAX_DEPTH} deep: {malformed.reason}") from None
    except (ValueError, msgpack.UnpackException):
        raise Problem("invalid", "an operation is a msgpack map") from None
