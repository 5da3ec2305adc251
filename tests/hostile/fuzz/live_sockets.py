"""A live WebSocket: frames and operations that are nearly right."""

import struct
from collections.abc import Iterator
from random import Random
from typing import Final

import orjson

from infra.cluster.service import Service
from tests.hostile.frame_cases import all_bytes
from tests.hostile.fuzz.live import Judged
from tests.hostile.fuzz.mutation import Mutator
from tests.hostile.fuzz.operations import in_json
from tests.hostile.fuzz.place import Place
from tests.integration.test_handoff_wires import CLOSE, FIN, PING, PONG, TEXT, UPGRADE, frame

_FRAMES: Final = tuple(all_bytes(1000))
_OPERATIONS: Final = in_json("items")
_OURS: Final = "fuzzed-"
_INTERNAL: Final = 1011
_BROKEN: Final = frozenset({1002, 1007, 1009})
_BLANK: Final = b"\r\n\r\n"


class LiveSockets:
    """Inputs are what one client says next."""

    name = "live websocket"

    def service(self, place: Place) -> Service:
        """The push server."""
        return place.server

    def make(self, random: Random) -> bytes:
        """Frames that are changed, or a frame with a changed operation."""
        if random.random() < 0.4:
            return Mutator(random, _FRAMES).make()
        return frame(TEXT, Mutator(random, _OPERATIONS, calm=0.3).make())

    def script(self, inputs: list[bytes]) -> bytes:
        """Each is followed by a ping, whose pong says that the server has come so far."""
        asked = (
            data + frame(TEXT, orjson.dumps({"op": "ping", "ref": f"{_OURS}{number}"}))
            for number, data in enumerate(inputs)
        )
        return UPGRADE + b"".join(asked) + frame(CLOSE, b"\x03\xe8")

    def over(self, said: bytes) -> bool:
        """Once it has said that it closes."""
        return any(opcode == CLOSE for opcode, _ in frames(said.partition(_BLANK)[2]))

    def judge(self, inputs: list[bytes], said: bytes) -> Judged:
        """Frames in order, with no mistake of ours, and nothing behind a close."""
        head, blank, rest = said.partition(_BLANK)
        if not said:
            return Judged(1, 0)
        assert head.startswith(b"HTTP/1.1 101 "), head
        assert blank, "half a handshake"
        pongs, refused, code = 0, 0, 0
        for opcode, payload in frames(rest):
            assert not code, "a frame behind the close"
            if opcode == TEXT:
                told = orjson.loads(payload)
                assert told.get("code") != "internal", told
                pongs += str(told.get("ref")).startswith(_OURS)
                refused += told["event"] == "problem"
            elif opcode == CLOSE:
                code = int.from_bytes(payload[:2])
                assert code != _INTERNAL or payload == _INTERNAL.to_bytes(2), "not what the client said first"
            else:
                assert opcode in {PING, PONG}, opcode
        broken = code in _BROKEN
        taken = min(len(inputs), max(1, pongs + broken))
        return Judged(taken, max(0, taken - refused - broken))


def frames(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Opcode and payload of a server's frames, as far as they are whole."""
    while len(data) >= 2:
        length, at = data[1], 2
        assert data[0] & 0xF0 == FIN, "a fragment, or a reserved bit"
        assert length < 0x80, "a server masks nothing"
        if length >= 126:
            at = 4 if length == 126 else 10
            if len(data) < at:
                return
            (length,) = struct.unpack(">H" if at == 4 else ">Q", data[2:at])
        if len(data) < at + length:
            return
        yield data[0] & 0x0F, data[at : at + length]
        data = data[at + length :]
