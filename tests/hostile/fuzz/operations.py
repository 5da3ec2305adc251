"""Operations of WebSocket clients, in JSON and in msgpack: done, waited for, or refused in a frame."""

from random import Random
from typing import Any, Final

import msgpack
import orjson
from websockets.frames import Opcode

from services.pushserver.close import CLIENT_CLOSED
from services.pushserver.session import Publish
from services.pushserver.transports.inbound import Message
from services.pushserver.transports.websocket import _decode_op
from services.pushserver.wire import WS_JSON, WS_MSGPACK
from shared.problem import Problem
from tests.hostile.fuzz.heads import check_refusal
from tests.hostile.fuzz.mutation import Mutator
from tests.support.core_client import Client, hub_of
from tests.support.events import put

_OPERATIONS: Final[tuple[dict[str, Any], ...]] = (
    {"op": "subscribe", "watch": "stocks/a", "ref": 1},
    {"op": "subscribe", "watch": "stocks", "prefix": "b", "mode": "state", "snapshot": False, "ref": "mine"},
    {"op": "subscribe", "watch": "stocks?prefix=a", "mode": "log", "cursor": "AXuFo-gIKVLvAAQeHQAU"},
    {"op": "subscribe", "watch": "stocks", "since": "2026-11-23T10:00:00.000Z"},
    {"op": "unsubscribe", "watch": "stocks/a", "ref": 2},
    {"op": "publish", "resource": "stocks/a", "data": {"price": 1.5, "tags": ["a", None, True]}, "ref": 3},
    {"op": "publish", "resource": "stocks/é", "delete": True},
    {"op": "auth", "token": "a.b.c"},
    {"op": "ping", "ref": 4},
)
_WORDS: Final = (
    b"subscribe",
    b"publish",
    b"ref",
    b"data",
    b"\xc4\x01\x00",
    b"\xd7\xff",
    b"\xc7\x0c\xff",
    b"\xcb\x7f\xf0",
)
_JSON: Final = tuple(orjson.dumps(op) for op in _OPERATIONS)
_MSGPACK: Final = tuple(msgpack.packb(op) for op in _OPERATIONS)


def in_json(collection: str) -> tuple[bytes, ...]:
    """The operations that are as they should be, over a collection."""
    return tuple(text.replace(b"stocks", collection.encode()) for text in _JSON)


class Operations:
    """Inputs are the messages of one connection, and whether it speaks msgpack."""

    name = "operations"

    def __init__(self) -> None:
        self._hub = hub_of(put("a", 0), put("b", 1))

    def make(self, random: Random) -> tuple[bool, list[bytes]]:
        """Up to three messages."""
        binary = random.random() < 0.5
        mutator = Mutator(random, _MSGPACK if binary else _JSON, _WORDS, calm=0.5)
        return binary, [mutator.make() for _ in range(random.randrange(1, 4))]

    def run(self, data: tuple[bool, list[bytes]]) -> bool:
        """Whether none of the messages is refused; the connection is told in frames that its wire can hold."""
        binary, messages = data
        client = Client(self._hub, (WS_MSGPACK if binary else WS_JSON)["json"])
        accepted = all(_accepted(client, message, binary=binary) for message in messages)
        codes = {frame["code"] for frame in client.frames() if frame["event"] == "problem"}
        client.subscriber.end(CLIENT_CLOSED)
        self._hub.leave(client.subscriber)
        assert not len(self._hub.wheel)
        assert "internal" not in codes
        return accepted and not codes


def _accepted(client: Client, message: bytes, *, binary: bool) -> bool:
    try:
        op = _decode_op(Message(Opcode.BINARY if binary else Opcode.TEXT, message), binary=binary)
    except Problem as problem:
        check_refusal(problem)
        client.session.refuse(problem)
        return False
    outcome = client.session.on_op(op)
    if isinstance(outcome, Publish) and not outcome.delete:
        orjson.dumps(outcome.data)
    return True
