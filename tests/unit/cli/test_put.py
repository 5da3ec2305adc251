from io import BufferedReader, RawIOBase

import pytest

from cli.put import Line, batches


class Trickle(RawIOBase):
    """A pipe that brings one piece for each read."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = list(pieces)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        piece = self._pieces.pop(0) if self._pieces else b""
        buffer[: len(piece)] = piece
        return len(piece)


def reader(*pieces: bytes) -> BufferedReader:
    return BufferedReader(Trickle(*pieces))


def test_lines_are_sent_as_soon_as_they_are_whole() -> None:
    assert list(batches(reader(b"a\nb", b"c\n", b"d"))) == [[Line(1, b"a")], [Line(2, b"bc")], [Line(3, b"d")]]


def test_empty_lines_count_but_are_not_sent() -> None:
    assert [line for batch in batches(reader(b"\n\r\na\n \nb\n")) for line in batch] == [Line(3, b"a"), Line(5, b"b")]


@pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 2345])
def test_many_lines_are_cut_into_batches_and_none_is_lost(count: int) -> None:
    pieces = (b"".join(b"%d\n" % n for n in range(start, min(start + 800, count))) for start in range(0, count, 800))
    found = list(batches(reader(*pieces)))
    assert max(map(len, found), default=0) <= 500
    assert [line.text for batch in found for line in batch] == [b"%d" % n for n in range(count)]
