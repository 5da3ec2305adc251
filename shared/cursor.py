"""Cursors: how far a watcher has come, as an opaque URL-safe string.

    base64url(version byte ‖ segment …)
    segment   = collection tag (3) ‖ epoch (5) ‖ flags (1) ‖ [count ‖ scope tag (2) …] ‖ positions
    positions = all partitions:  count ‖ offset ‖ zigzag delta from partition to partition …
              | a few:           count ‖ (partition delta ‖ offset) …

Numbers are LEB128 varints. A position is the offset of the next record that the watcher has not seen. Scope tags say
that the cursor comes from watches narrower than their collection, and from which ones: what lay outside them was never
delivered, so the cursor proves nothing about it.

A cursor is not secret and not trusted: decoding checks every field, costs time linear in a bounded length, and never
raises anything but `CursorUnreadable`.
"""

import base64
import binascii
import struct
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise
from typing import Final, NamedTuple

from shared.errors import WatchrouteError

MAX_CURSOR_CHARS: Final = 8192
MAX_PARTITIONS: Final = 4096
MAX_SCOPES: Final = 2048
EPOCH_BYTES: Final = 5
_VERSION: Final = 1
_TAG_BYTES: Final = 3
_SCOPED: Final = 1
_SPARSE: Final = 2
_MAX_OFFSET: Final = (1 << 63) - 1
_MAX_VARINT_BYTES: Final = 10


class CursorUnreadable(WatchrouteError):
    """The text is no cursor that this version wrote."""


class Segment(NamedTuple):
    """The part of a cursor about one collection.

    `positions` maps each known partition to the next offset wanted. `scopes` has the tags of the watches that it comes
    from, in order, each once; it is None for a cursor of a whole collection.
    """

    tag: bytes
    epoch: bytes
    scopes: tuple[int, ...] | None
    positions: Mapping[int, int]


def collection_tag(name: str) -> bytes:
    """The three bytes that stand for a collection in cursors."""
    return blake2b(name.encode(), digest_size=_TAG_BYTES).digest()


@lru_cache(maxsize=8192)
def scope_tag(label: str) -> int:
    """The number (0 to 65535) that stands for a narrow watch in cursors."""
    return int.from_bytes(blake2b(label.encode(errors="replace"), digest_size=2).digest())


def epoch_of(*identity: object) -> bytes:
    """The five bytes that stand for the identity of a log."""
    return blake2b(repr(identity).encode(), digest_size=EPOCH_BYTES).digest()


def encode_cursor(segments: Iterable[Segment]) -> str:
    """Write a cursor; the same segments always give the same text."""
    out = bytearray((_VERSION,))
    for segment in segments:
        _write_segment(out, segment)
    return base64.urlsafe_b64encode(out).rstrip(b"=").decode()


def decode_cursor(text: str) -> list[Segment]:
    """Read a cursor; raises CursorUnreadable."""
    data = _decode_text(text)
    if not data or data[0] != _VERSION:
        raise CursorUnreadable("not a cursor of this version")
    reader = _Reader(data, 1)
    segments: dict[bytes, Segment] = {}
    while reader.at < len(data):
        segment = _read_segment(reader)
        if segment.tag in segments:
            raise CursorUnreadable("a cursor names a collection once")
        segments[segment.tag] = segment
    return list(segments.values())


def _decode_text(text: str) -> bytes:
    if len(text) > MAX_CURSOR_CHARS:
        raise CursorUnreadable(f"a cursor has at most {MAX_CURSOR_CHARS} characters")
    try:
        data = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error, ValueError):
        raise CursorUnreadable("a cursor is base64url text") from None
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != text:
        raise CursorUnreadable("a cursor is written in one way only")
    return data


def _write_segment(out: bytearray, segment: Segment) -> None:
    partitions = sorted(segment.positions)
    sparse = len(partitions) == 1 or partitions[-1:] > [len(partitions) - 1]
    out += segment.tag + segment.epoch
    out.append((_SCOPED if segment.scopes is not None else 0) | (_SPARSE if sparse else 0))
    if segment.scopes is not None:
        _write_varint(out, len(segment.scopes))
        for scope in segment.scopes:
            out += scope.to_bytes(2)
    _write_varint(out, len(partitions))
    previous = 0
    for partition in partitions:
        offset = segment.positions[partition]
        if sparse:
            _write_varint(out, partition - previous)
            _write_varint(out, offset)
            previous = partition
        else:
            delta = offset - previous
            _write_varint(out, delta << 1 if delta >= 0 else (-delta << 1) - 1)
            previous = offset


def _read_segment(reader: "_Reader") -> Segment:
    tag, epoch = reader.take(_TAG_BYTES), reader.take(EPOCH_BYTES)
    flags = reader.take(1)[0]
    if flags & ~(_SCOPED | _SPARSE):
        raise CursorUnreadable("unknown flags")
    scopes = _read_scopes(reader) if flags & _SCOPED else None
    count = reader.varint()
    if count > MAX_PARTITIONS:
        raise CursorUnreadable("too many partitions")
    read = _read_sparse if flags & _SPARSE else _read_all
    return Segment(tag, epoch, scopes, read(reader, count))


def _read_scopes(reader: "_Reader") -> tuple[int, ...]:
    count = reader.varint()
    if not 1 <= count <= MAX_SCOPES:
        raise CursorUnreadable("no scopes, or too many")
    scopes = struct.unpack(f">{count}H", reader.take(2 * count))
    if any(later <= earlier for earlier, later in pairwise(scopes)):
        raise CursorUnreadable("scopes out of order")
    return scopes


def _read_sparse(reader: "_Reader", count: int) -> dict[int, int]:
    positions: dict[int, int] = {}
    partition = 0
    for index in range(count):
        delta = reader.varint()
        partition += delta
        if (index and not delta) or partition >= MAX_PARTITIONS:
            raise CursorUnreadable("partitions out of order")
        positions[partition] = reader.offset()
    return positions


def _read_all(reader: "_Reader", count: int) -> dict[int, int]:
    positions: dict[int, int] = {}
    offset = 0
    for partition in range(count):
        zigzag = reader.varint()
        offset += -((zigzag + 1) >> 1) if zigzag & 1 else zigzag >> 1
        if not 0 <= offset <= _MAX_OFFSET:
            raise CursorUnreadable("an offset out of range")
        positions[partition] = offset
    return positions


def _write_varint(out: bytearray, number: int) -> None:
    while number > 0x7F:  # noqa: PLR2004 -- seven bits a byte
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


class _Reader:
    __slots__ = ("at", "data")

    def __init__(self, data: bytes, at: int) -> None:
        self.data = data
        self.at = at

    def take(self, size: int) -> bytes:
        piece = self.data[self.at : self.at + size]
        if len(piece) < size:
            raise CursorUnreadable("a cursor is cut short")
        self.at += size
        return piece

    def varint(self) -> int:
        number = 0
        for index in range(_MAX_VARINT_BYTES):
            byte = self.take(1)[0]
            number |= (byte & 0x7F) << (7 * index)
            if byte < 0x80:  # noqa: PLR2004 -- the top bit of a varint's byte says that more follow
                return number
        raise CursorUnreadable("a number is too long")

    def offset(self) -> int:
        number = self.varint()
        if number > _MAX_OFFSET:
            raise CursorUnreadable("an offset out of range")
        return number
