"""HTTP/1.1 answers, read strictly from the bytes of a connection: how many there are, and what each says."""

from collections.abc import Iterator
from typing import Final, NamedTuple

_BODILESS: Final = frozenset({204, 304})


class Answer(NamedTuple):
    """One answer; header names are in small letters."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """Its values, as a list if it has several; empty where there is none."""
        return ", ".join(value for header, value in self.headers if header == name)


class CutShort(AssertionError):
    """An answer ends before it says that it does."""


def read_answers(data: bytes) -> list[Answer]:
    """All of them; AssertionError for whatever is not exactly a row of whole answers."""
    answers: list[Answer] = []
    while data:
        answer, data = _with_body(*_head(data))
        answers.append(answer)
    return answers


def read_whole_answers(data: bytes) -> Iterator[Answer]:
    """The answers to one who hung up: up to the first that is cut short, has no end of its own, or is HTTP no more."""
    while data:
        try:
            answer, data = _head(data)
            if answer.status != 101 and not _endless(answer):
                answer, data = _with_body(answer, data)
        except CutShort:
            return
        yield answer
        if answer.status == 101 or _endless(answer):
            return


def _head(data: bytes) -> tuple[Answer, bytes]:
    """An answer without its body, and what follows its head."""
    head, blank, rest = data.partition(b"\r\n\r\n")
    if not blank:
        raise CutShort(f"no whole head: {data[:200]!r}")
    first, *lines = head.split(b"\r\n")
    assert first[:9] == b"HTTP/1.1 ", f"no status line: {first[:100]!r}"
    headers = []
    for line in lines:
        name, colon, value = line.partition(b": ")
        assert colon, f"no header: {line!r}"
        assert name.decode().replace("-", "").isalnum(), f"no name of a header: {name!r}"
        assert not set(value) & {0, 10, 13}, f"no value of a header: {value!r}"
        headers.append((name.decode().lower(), value.decode("latin-1")))
    return Answer(int(first[9:12]), tuple(headers), b""), rest


def _endless(answer: Answer) -> bool:
    """Whether it goes on until the connection ends, or one hangs up."""
    if answer.header("content-type") == "text/event-stream":
        return True
    lengths = answer.header("content-length") + answer.header("transfer-encoding")
    return "close" in answer.header("connection") and not lengths and answer.status not in _BODILESS


def _with_body(answer: Answer, data: bytes) -> tuple[Answer, bytes]:
    if answer.header("transfer-encoding") == "chunked":
        body, rest = _chunks(data)
        return answer._replace(body=body), rest
    length = answer.header("content-length")
    if answer.status in _BODILESS or answer.status < 200:
        return answer, data
    assert length, f"an answer says how long it is: {answer}"
    if len(data) < int(length):
        raise CutShort(f"a body is cut short: {data!r}")
    return answer._replace(body=data[: int(length)]), data[int(length) :]


def _chunks(data: bytes) -> tuple[bytes, bytes]:
    body = b""
    while True:
        size, line, data = data.partition(b"\r\n")
        if not line:
            raise CutShort("a chunk begins with its size")
        count = int(size, 16)
        if len(data) < count + 2:
            raise CutShort("a chunk is not all there")
        assert data[count : count + 2] == b"\r\n", "a chunk ends with a line"
        body, data = body + data[:count], data[count + 2 :]
        if not count:
            return body, data
