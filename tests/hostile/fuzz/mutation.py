"""Inputs that are nearly right: seeds, cut, repeated, spliced and sprinkled with what breaks parsers."""

from collections.abc import Sequence
from random import Random
from typing import Final

_BYTES: Final = b'\x00\x01\t\n\r "%./;~\x7f\x80\xb2\xc0\xed\xfe\xff'
_WORDS: Final = (
    b"\r\n", b"%00", b"%2e%2e", b"%2F", b"%ff", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xef\xbb\xbf", b"1e999", b"NaN",
    b"-1", b"0", b"9" * 19, b"9" * 30, b"18446744073709551616", b"null", b"true", b"[" * 200,
    b'{"a":' * 150, b"\\ud800",
    b"\\u0000", b"*", b"{sub}", b"?", b"&", b"=", b"..", b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00", b"A" * 600,
)  # fmt: skip
_MOST_BYTES: Final = 20_000


class Mutator:
    """Makes inputs of `seeds` and `words`, by the random numbers that it is given: the same ones, the same inputs.

    `calm` of them are seeds as they are, for what is one part of an input among others.
    """

    def __init__(self, random: Random, seeds: Sequence[bytes], words: Sequence[bytes] = (), *, calm: float = 0) -> None:
        self._random = random
        self._seeds = seeds
        self._words = (*_WORDS, *words)
        self._calm = calm

    def seed(self) -> bytes:
        """One that is as it should be."""
        return self._random.choice(self._seeds)

    def make(self) -> bytes:
        """A seed with up to four changes; of those that are not calm one in sixteen has none."""
        if self._random.random() < self._calm:
            return self.seed()
        data = bytearray(self.seed())
        for _ in range(self._random.choice((0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4))):
            self._change(data)
        return bytes(data[:_MOST_BYTES])

    def text(self) -> str:
        """The same as text; what is no UTF-8 becomes the characters of those bytes."""
        return self.make().decode(errors="surrogateescape").encode(errors="surrogateescape").decode("latin-1")

    def _change(self, data: bytearray) -> None:
        random = self._random
        start = random.randrange(len(data) + 1)
        end = min(len(data), start + random.choice((1, 1, 2, 4, 16)))
        kind = random.randrange(7)
        if kind == 0 and start < len(data):
            data[start] ^= 1 << random.randrange(8)
        elif kind == 1:
            data[start:end] = bytes((random.choice(_BYTES),))
        elif kind == 2:
            data[start:start] = random.choice(self._words)
        elif kind == 3:
            del data[start:end]
        elif kind == 4:
            data[start:start] = data[start:end] * random.choice((1, 2, 30))
        elif kind == 5:
            other = self.seed()
            data[start:] = other[random.randrange(len(other) + 1) :]
        else:
            data[start:end] = random.randbytes(end - start)
