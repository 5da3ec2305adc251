"""PNG with a palette: a picture of a page has few colours, and takes a third of the bytes with them."""

import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import Final

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_COLOURS: Final = 256
_COMMON: Final = 160
_RGB: Final = 3


def small(png: bytes) -> bytes:
    """The same picture in 256 of its colours; it must be one of 8-bit RGB, as a browser takes it."""
    chunks = list(_chunks(png))
    width, height, depth, kind = struct.unpack(">IIBB", dict(chunks)[b"IHDR"][:10])
    assert (depth, kind) == (8, 2), "it isn't 8-bit RGB"
    packed = b"".join(data for name, data in chunks if name == b"IDAT")
    pixels = [_pixels(row) for row in _rows(zlib.decompress(packed), width * _RGB)]
    palette = _palette(Counter(pixel for row in pixels for pixel in row))
    place = {colour: at for at, colour in enumerate(palette)}
    for colour in {pixel for row in pixels for pixel in row} - place.keys():
        place[colour] = min(range(len(palette)), key=lambda at: _distance(palette[at], colour))
    lines = b"".join(b"\0" + bytes(place[pixel] for pixel in row) for row in pixels)
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    written = ((b"IHDR", head), (b"PLTE", b"".join(palette)), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(*each) for each in written)


def _palette(counted: Counter[bytes]) -> list[bytes]:
    """What there is most of, and then always what is furthest from all that: what is rare and alone is kept, too."""
    palette = [colour for colour, _ in counted.most_common(_COMMON)]
    away = {colour: min(_distance(colour, each) for each in palette) for colour in counted.keys() - set(palette)}
    while away and len(palette) < _COLOURS:
        found = max(away, key=lambda colour: away[colour])
        palette.append(found)
        del away[found]
        away = {colour: min(far, _distance(colour, found)) for colour, far in away.items()}
    return palette


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += 12 + length


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _rows(raw: bytes, stride: int) -> Iterator[bytes]:
    above = bytearray(stride)
    for begin in range(0, len(raw), stride + 1):
        row = bytearray(raw[begin + 1 : begin + 1 + stride])
        _unfilter(raw[begin], row, above)
        yield bytes(row)
        above = row


def _unfilter(kind: int, row: bytearray, above: bytearray) -> None:
    """Filters of the PNG specification, 9.2: none, sub, up, average, Paeth."""
    for at in range(len(row)):
        left, corner = (row[at - _RGB], above[at - _RGB]) if at >= _RGB else (0, 0)
        guess = (0, left, above[at], (left + above[at]) // 2, _paeth(left, above[at], corner))[kind]
        row[at] = (row[at] + guess) & 0xFF


def _paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    return min((left, up, corner), key=lambda each: abs(guess - each))


def _pixels(row: bytes) -> list[bytes]:
    return [row[at : at + _RGB] for at in range(0, len(row), _RGB)]


def _distance(one: bytes, other: bytes) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))
