"""What a WebSocket client may send, what it may not, and the answer to each (RFC 6455, sections 5 and 7).

The commonest breaches, one each, are in tests/integration/test_handoff_wires.py; here is what is left of the table.
"""

import struct
from collections.abc import Iterator
from itertools import pairwise
from typing import Final, NamedTuple

from tests.integration.test_handoff_wires import BINARY, CLOSE, CONT, FIN, MASK, MAX_BYTES, PING, PONG, TEXT, frame

ASKED: Final = b'{"op":"ping","ref":7}'
ANSWER: Final = (TEXT, b'{"event":"pong","ref":7}')
ASK: Final = frame(TEXT, ASKED)
_MASKED: Final = 0x80
_ACCENT: Final = "é€😀"
_CONTROLS: Final = {"close": CLOSE, "ping": PING, "pong": PONG}
VALID_CODES: Final = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999)
INVALID_CODES: Final = (0, 1, 999, 1004, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 9999, 65_535)
BAD_TEXTS: Final = {
    "a lone continuation byte": b"\x80",
    "an overlong slash": b"\xc0\xaf",
    "an overlong NUL": b"\xe0\x80\x80",
    "a surrogate": b"\xed\xa0\x80",
    "beyond the last character": b"\xf4\x90\x80\x80",
    "five bytes": b"\xf8\x88\x80\x80\x80",
    "cut short": b"\xf0\x9f\x98",
    "a byte order mark of UTF-16": b"\xff\xfe",
}


class Breach(NamedTuple):
    """Bytes that end the connection, and the code of the close frame that says so."""

    name: str
    data: bytes
    code: int


class Exchange(NamedTuple):
    """Bytes that are in order, and the frames that answer them."""

    name: str
    data: bytes
    answers: tuple[tuple[int, bytes], ...]


def longer(opcode: int, payload: bytes, size: int) -> bytes:
    """A masked frame whose length takes `size` bytes (2 or 8), needed or not."""
    marks = {2: (126, ">H"), 8: (127, ">Q")}
    mark, form = marks[size]
    masked = bytes(byte ^ MASK[index % 4] for index, byte in enumerate(payload))
    return bytes([FIN | opcode, _MASKED | mark]) + struct.pack(form, len(payload)) + MASK + masked


def announced(opcode: int, length: int) -> bytes:
    """The head of a frame that says it is that long, and none of it."""
    return bytes([FIN | opcode, _MASKED | 127]) + struct.pack(">Q", length) + MASK


def breaches() -> Iterator[Breach]:
    """All of them."""
    yield from _bits()
    yield from _controls()
    yield from _order()
    yield from _texts()
    for code in INVALID_CODES:
        yield Breach(f"the close code {code}", frame(CLOSE, code.to_bytes(2)), 1002)
    for length in (MAX_BYTES + 1, 1 << 31, 1 << 40, (1 << 63) - 1, 1 << 63, (1 << 64) - 1):
        yield Breach(f"{length} bytes announced", announced(BINARY, length), 1009)
    yield Breach("fragments beyond the limit", _crumbs(MAX_BYTES // 1000 + 1), 1009)


def exchanges() -> Iterator[Exchange]:
    """All of them; each is followed by an operation, which must be answered behind."""
    for size in (2, 8):
        yield Exchange(f"a length in {size} bytes where one does", longer(TEXT, ASKED, size), (ANSWER,))
        yield Exchange(f"a ping with a length in {size} bytes", longer(PING, b"hello", size), ((PONG, b"hello"),))
    zero = bytes([FIN | TEXT, _MASKED | len(ASKED)]) + bytes(4) + ASKED
    yield Exchange("a mask of zeroes", zero, (ANSWER,))
    yield Exchange("a ping of 125 bytes", frame(PING, bytes(125)), ((PONG, bytes(125)),))
    yield Exchange("a pong that nobody asked for", frame(PONG, b"\xff" * 125), ())
    pings = b"".join(frame(PING, bytes([number])) for number in range(8))
    answers = tuple((PONG, bytes([number])) for number in range(8))
    yield Exchange("eight pings at once", pings, answers)
    yield Exchange("each byte a fragment", _cut(ASKED, *range(1, len(ASKED))), (ANSWER,))
    between = _cut(ASKED, 4).replace(frame(CONT, ASKED[4:]), frame(PING, b"!") + frame(CONT, ASKED[4:]))
    yield Exchange("a ping between two fragments", between, ((PONG, b"!"), ANSWER))
    empty = frame(TEXT, b"", fin=False) * 1 + frame(CONT, b"", fin=False) * 100 + frame(CONT, ASKED)
    yield Exchange("a hundred empty fragments", empty, (ANSWER,))
    text = f'{{"op":"ping","ref":"{_ACCENT}"}}'.encode()
    start = text.index("é".encode())
    for at in range(start, start + len(_ACCENT.encode()) + 1):
        told = f'{{"event":"pong","ref":"{_ACCENT}"}}'.encode()
        yield Exchange(f"a text cut at byte {at - start} of its accents", _cut(text, at), ((TEXT, told),))


def all_bytes(most: int) -> Iterator[bytes]:
    """What is sent in every case, but for what is longer than `most`."""
    sent = [*(breach.data for breach in breaches()), *(exchange.data for exchange in exchanges())]
    yield from (data for data in sent if len(data) <= most)


def _bits() -> Iterator[Breach]:
    for bit in (0x40, 0x20, 0x10, 0x70):
        for name, opcode in {"text": TEXT, "binary": BINARY, "continuation": CONT, **_CONTROLS}.items():
            if (bit, name) != (0x40, "text"):
                yield Breach(f"the reserved bits {bit:02x} on {name}", frame(opcode | bit, b""), 1002)
    for opcode in (0x4, 0x5, 0x6, 0x7, 0xB, 0xC, 0xD, 0xE, 0xF):
        yield Breach(f"the opcode {opcode:x}", frame(opcode, b"x"), 1002)
        yield Breach(
            f"the opcode {opcode:x} between fragments", frame(TEXT, b"{", fin=False) + frame(opcode, b""), 1002
        )
    for name, opcode in {"binary": BINARY, **_CONTROLS}.items():
        yield Breach(f"{name} without a mask", frame(opcode, b"", masked=False), 1002)
    second = frame(TEXT, b"{", fin=False) + frame(CONT, b"}", masked=False)
    yield Breach("a continuation without a mask", second, 1002)


def _controls() -> Iterator[Breach]:
    for name, opcode in _CONTROLS.items():
        if name != "ping":
            yield Breach(f"{name} in fragments", frame(opcode, b"", fin=False), 1002)
            yield Breach(f"{name} of 126 bytes", frame(opcode, b"\x03\xe8" + b"x" * 124), 1002)
        yield Breach(f"{name} of 65536 bytes", frame(opcode, b"\x03\xe8" + b"x" * 65_534), 1002)
        yield Breach(f"{name} larger than any message", announced(opcode, MAX_BYTES + 1), 1009)
    yield Breach("a long ping between fragments", frame(TEXT, b"{", fin=False) + frame(PING, b"x" * 126), 1002)


def _order() -> Iterator[Breach]:
    yield Breach("a continuation after a whole message", ASK + frame(CONT, b""), 1002)
    yield Breach("a continuation that goes on after nothing", frame(CONT, b"", fin=False), 1002)
    for name, opcode in {"text": TEXT, "binary": BINARY}.items():
        begun = frame(opcode, b"{", fin=False)
        yield Breach(f"binary within {name}", begun + frame(BINARY, b"}"), 1002)
        yield Breach(f"fragments within {name}", begun + frame(TEXT, b"}", fin=False), 1002)


def _texts() -> Iterator[Breach]:
    for name, text in BAD_TEXTS.items():
        yield Breach(f"a text with {name}", frame(TEXT, b'"%b"' % text), 1007)
        yield Breach(f"a text in fragments with {name}", _cut(b'"%b"' % text, 2), 1007)
        yield Breach(f"a close reason with {name}", frame(CLOSE, b"\x03\xe8" + text), 1007)


def _crumbs(count: int) -> bytes:
    return frame(TEXT, b" " * 1000, fin=False) + frame(CONT, b" " * 1000, fin=False) * count


def _cut(text: bytes, *at: int) -> bytes:
    """A text message in fragments that begin at these bytes."""
    edges = [0, *at, len(text)]
    last = len(edges) - 2
    return b"".join(
        frame(CONT if number else TEXT, text[start:end], fin=number == last)
        for number, (start, end) in enumerate(pairwise(edges))
    )
