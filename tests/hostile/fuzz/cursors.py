"""Cursors: refused, or one that is written in exactly that way."""

import base64
from random import Random
from typing import Final

from shared.cursor import (
    MAX_CURSOR_CHARS,
    CursorUnreadable,
    Segment,
    collection_tag,
    decode_cursor,
    encode_cursor,
    epoch_of,
)
from tests.hostile.fuzz.mutation import Mutator

_OFFSETS: Final = (0, 1, 127, 128, 1 << 31, (1 << 63) - 1)


class Cursors:
    """Inputs are texts: base64 of changed bytes, or changed base64."""

    name = "cursors"

    def __init__(self) -> None:
        random = Random(1)
        self._texts = [encode_cursor(_segments(random)).encode() for _ in range(60)]
        self._bytes = [base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4)) for text in self._texts]

    def make(self, random: Random) -> str:
        """Three of four are base64: the others are stopped at the door."""
        if random.random() < 0.25:
            return Mutator(random, self._texts).text()
        return base64.urlsafe_b64encode(Mutator(random, self._bytes).make()).rstrip(b"=").decode()

    def run(self, data: str) -> bool:
        """Whether it can be read."""
        try:
            segments = decode_cursor(data)
        except CursorUnreadable:
            return False
        assert len(data) <= MAX_CURSOR_CHARS
        assert all(0 <= offset < 1 << 63 for segment in segments for offset in segment.positions.values())
        # Not the same text: numbers can be written longer than they need to be.
        assert decode_cursor(encode_cursor(segments)) == segments
        return True


def _segments(random: Random) -> list[Segment]:
    return [
        Segment(
            collection_tag(f"c{number}"),
            epoch_of(number),
            tuple(sorted(random.sample(range(65_536), random.randrange(1, 5)))) if random.random() < 0.5 else None,
            {index: random.choice(_OFFSETS) for index in random.sample(range(12), random.randrange(12))},
        )
        for number in range(random.randrange(1, 4))
    ]
