"""What a WebSocket client sends: the same bytes mean the same, however they come, and never more than is allowed."""

from collections.abc import Sequence
from random import Random
from typing import Final

from websockets.frames import Opcode

from services.pushserver.transports.inbound import Inbound, Message, Violation
from tests.hostile.frame_cases import all_bytes
from tests.hostile.fuzz.mutation import Mutator
from tests.integration.test_handoff_wires import MAX_BYTES, TEXT, frame

_LIMIT: Final = 1000
_CODES: Final = frozenset({1002, 1007, 1009})
_SEEDS: Final = (
    *all_bytes(MAX_BYTES // 100),
    *(frame(TEXT, b"x" * size) for size in (0, 125, 126, _LIMIT, _LIMIT + 1)),
)
_FIRST: Final = (0x00, 0x01, 0x80, 0x81, 0x82, 0x88, 0x89, 0xC1)
_HEADS: Final = tuple(bytes([first, second]) for first in _FIRST for second in (0x80, 0x85, 0xFE, 0xFF))

Told = tuple[list[Message], int]


class SocketBytes:
    """Inputs are the bytes, and where they are cut."""

    name = "websocket"

    def make(self, random: Random) -> tuple[bytes, int]:
        """Frames, most of them wrong."""
        mutator = Mutator(random, _SEEDS, _HEADS)
        data = mutator.make()
        return (data + mutator.seed() if random.random() < 0.5 else data), random.randrange(len(data) + 1)

    def run(self, data: tuple[bytes, int]) -> bool:
        """Whether the bytes break nothing."""
        text, cut = data
        whole = _told([text])
        assert whole == _told([text[:cut], text[cut:]]), "it depends on how the bytes come"
        for message in whole[0]:
            _check(message)
        return not whole[1]


def _told(pieces: Sequence[bytes]) -> Told:
    inbound, messages = Inbound(_LIMIT), list[Message]()
    try:
        for piece in pieces:
            for message in inbound.feed(piece):
                messages.append(message)
    except Violation as violation:
        assert violation.reason.code in _CODES, violation.reason
        return messages, violation.reason.code
    return messages, 0


def _check(message: Message) -> None:
    if message.opcode is Opcode.TEXT:
        message.data.decode()
    most = _LIMIT if message.opcode in {Opcode.TEXT, Opcode.BINARY} else 125
    assert len(message.data) <= most, f"{message.opcode} of {len(message.data)} bytes"
