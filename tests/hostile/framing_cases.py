"""Requests whose end can be read in two ways, or in none (RFC 9112, sections 2, 5, 6, 7 and 11.2).

Each is asked of a push server with GET and of a producer with PUT, by itself and through HAProxy.
"""

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

_HOST: Final = b"Host: localhost\r\n"
_CHUNKED: Final = b"5\r\n12345\r\n0\r\n\r\n"

Outcome = Literal["refused", "last", "one", "apart", "either", "silent"]
"""`refused`: 400, and the end; HAProxy 3.2 leaves out the 400 where a body was announced.
`last`: an answer, and the end.
`one`: an answer, and what comes next is another request.
`apart`: two requests, each answered: HAProxy has made up its mind, and what it passes on is beyond doubt.
`either`: `apart` by an older HAProxy, `refused` by a newer one.
`silent`: the end."""


class Way(NamedTuple):
    """How a receiver is asked for something: with PUT, or with GET."""

    method: bytes
    content: bytes

    def line(self, name: bytes, version: bytes = b"HTTP/1.1") -> bytes:
        """The first line of a request for a resource."""
        return b"%b /v1/items/%b %b\r\n" % (self.method, name, version)

    def behind(self, name: bytes) -> bytes:
        """A whole request, to be hidden in another one."""
        return self.line(name) + _HOST + self.content + b"\r\n" + (b"9" if self.content else b"")


READ: Final = Way(b"GET", b"")
WRITE: Final = Way(b"PUT", b"Content-Type: application/json\r\nContent-Length: 1\r\n")


class Doubt(NamedTuple):
    """A request that is refused and ends the connection, and at the front door has the outcome `door`.

    `head` has the fields behind `Host`, `body` what follows it; `hidden` says whether another request is behind that.
    """

    name: str
    head: bytes
    body: bytes = b""
    hidden: bool = True
    door: Outcome = "refused"

    def text(self, way: Way, name: bytes) -> bytes:
        """The bytes to send; `name` is what the hidden request is about."""
        hidden = way.behind(name) if self.hidden else b""
        head = self.head.replace(b"#", b"%d" % (len(self.body) + len(hidden)))
        return way.line(b"asked") + _HOST + _type(way) + head + b"\r\n" + self.body + hidden


class Malformed(NamedTuple):
    """A request with a first line, or a head, that is none; `{}` stands for what is asked for."""

    name: str
    line: bytes
    head: bytes = _HOST
    door: Outcome = "refused"

    def text(self, way: Way, name: bytes) -> bytes:
        """The bytes to send; `name` is what the request behind it is about."""
        return self.line.replace(b"{}", way.method + b" /v1/items/asked") + self.head + b"\r\n" + way.behind(name)


def doubts() -> Iterator[Doubt]:
    """All of them."""
    yield Doubt("both lengths", b"Content-Length: #\r\nTransfer-Encoding: chunked\r\n", _CHUNKED, door="last")
    yield Doubt(
        "both, the other way round", b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", _CHUNKED, door="last"
    )
    yield Doubt("two lengths", b"Content-Length: 0\r\nContent-Length: #\r\n")
    yield Doubt("two lengths, the other way round", b"Content-Length: #\r\nContent-Length: 0\r\n")
    yield Doubt("one length twice", b"Content-Length: #\r\nContent-Length: #\r\n", b"12345", hidden=False, door="one")
    yield Doubt("a list of lengths", b"Content-Length: #, #\r\n", b"12345", hidden=False, door="one")
    for length in (
        b"+5",
        b"-5",
        b"0x5",
        b"5 5",
        b"5,6",
        b"5_0",
        b"5.0",
        b"",
        b"\xb5",
        b"9" * 20,
        b"18446744073709551621",
    ):
        yield Doubt(f"the length {length.decode('latin-1')!r}", b"Content-Length: %b\r\n" % length, b"12345")
    for coding in (
        b"xchunked",
        b"chunkedx",
        b"identity",
        b"gzip",
        b"chunked, gzip",
        b'"chunked"',
        b"\x0bchunked",
        b"chun ked",
    ):
        yield Doubt(f"the coding {coding.decode()!r}", b"Transfer-Encoding: %b\r\n" % coding, _CHUNKED)
    yield Doubt("chunked twice", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", _CHUNKED)
    yield Doubt("chunked, then not", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", _CHUNKED)
    yield Doubt("a folded coding", b"Transfer-Encoding:\r\n chunked\r\n", _CHUNKED, door="apart")
    yield Doubt("a folded field", b"X-A: b\r\n c\r\n", door="apart")
    yield Doubt("a space before the colon", b"Transfer-Encoding : chunked\r\n", _CHUNKED)
    yield Doubt("a space before the colon of a length", b"Content-Length : #\r\n")
    yield Doubt("a NUL in a value", b"X-A: \0b\r\n", door="either")
    yield Doubt("a NUL in a name", b"X-\0A: b\r\n")
    yield Doubt("a space in a name", b"X A: b\r\n")
    yield Doubt("no colon", b"XA\r\n")
    yield Doubt("no name", b": b\r\n")
    yield Doubt("a bare CR in a value", b"X-A: b\rContent-Length: 5\r\n")
    yield Doubt("a bare LF behind a field", b"X-A: b\nTransfer-Encoding: chunked\r\n", _CHUNKED, door="apart")
    yield Doubt("the same Host twice", b"Host: localhost\r\n", door="apart")
    yield Doubt("two Hosts", b"Host: evil.example\r\n")
    yield Doubt("a Host and an empty one", b"Host:\r\n")
    yield from _chunk_sizes()


def _chunk_sizes() -> Iterator[Doubt]:
    bodies = {
        "negative": b"-5\r\n12345\r\n0\r\n\r\n",
        "with a sign": b"+5\r\n12345\r\n0\r\n\r\n",
        "with 0x": b"0x5\r\n12345\r\n0\r\n\r\n",
        "with an underscore": b"0_5\r\n12345\r\n0\r\n\r\n",
        "beyond 64 bits": b"10000000000000005\r\n12345\r\n0\r\n\r\n",
        "missing": b"\r\n12345\r\n0\r\n\r\n",
        "too small": b"3\r\n12345\r\n0\r\n\r\n",
        "ended by LF": b"5\n12345\r\n0\r\n\r\n",
        "with an extension ended by LF": b"5;a\n12345\r\n0\r\n\r\n",
        "behind a space": b" 5\r\n12345\r\n0\r\n\r\n",
        "and a chunk ended by LF": b"5\r\n12345\n0\r\n\r\n",
        "and a chunk that does not end": b"5\r\n123450\r\n\r\n",
    }
    for name, body in bodies.items():
        door: Outcome = "either" if "by LF" in name else "refused"
        yield Doubt(f"a chunk size {name}", b"Transfer-Encoding: chunked\r\n", body, door=door)
    yield Doubt(
        "a length among the trailers",
        b"Transfer-Encoding: chunked\r\n",
        b"0\r\nContent-Length: 9\r\n\r\n",
        door="apart",
    )


def malformed() -> Iterator[Malformed]:
    """All of them."""
    yield Malformed("bare LF everywhere", b"{} HTTP/1.1\n", b"Host: localhost\n", door="apart")
    yield Malformed("bare LF behind the first line", b"{} HTTP/1.1\n", door="apart")
    yield Malformed("no Host", b"{} HTTP/1.1\r\n", b"X-A: b\r\n", door="apart")
    yield Malformed("a Host with a space", b"{} HTTP/1.1\r\n", b"Host: local host\r\n", door="either")
    yield Malformed("a Host with a path", b"{} HTTP/1.1\r\n", b"Host: localhost/x\r\n", door="either")
    yield Malformed("a Host that names somebody", b"{} HTTP/1.1\r\n", b"Host: a@localhost\r\n", door="either")
    yield Malformed("a field that begins with a space", b"{} HTTP/1.1\r\n", b" Host: localhost\r\n")
    yield Malformed("HTTP/1.2", b"{} HTTP/1.2\r\n", door="apart")
    yield Malformed("HTTP/1.10", b"{} HTTP/1.10\r\n")
    yield Malformed("HTTP/11", b"{} HTTP/11\r\n")
    yield Malformed("small letters", b"{} http/1.1\r\n")
    yield Malformed("a space in the path", b"{} x HTTP/1.1\r\n")
    yield Malformed("a tab behind the method", b"GET\t/v1/items/asked\tHTTP/1.1\r\n", door="apart")
    yield Malformed("a space first", b" {} HTTP/1.1\r\n")
    yield Malformed("a space last", b"{} HTTP/1.1 \r\n")
    yield Malformed("no path", b"GET HTTP/1.1\r\n")
    yield Malformed("a method in small letters", b"get /v1/items/asked HTTP/1.1\r\n", door="apart")
    yield Malformed("a NUL in the path", b"{}\0 HTTP/1.1\r\n")
    yield Malformed("a DEL in the path", b"{}\x7f HTTP/1.1\r\n", door="either")
    yield Malformed("a byte that is no ASCII in the path", b"{}\xff HTTP/1.1\r\n")
    yield Malformed("CONNECT", b"CONNECT localhost:80 HTTP/1.1\r\n", door="apart")
    yield Malformed("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n", b"\r\nSM\r\n", door="silent")
    yield Malformed("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n")


def all_bytes(way: Way) -> Iterator[bytes]:
    """What is sent in every case."""
    yield from (doubt.text(way, b"behind") for doubt in doubts())
    yield from (odd.text(way, b"behind") for odd in malformed())


def _type(way: Way) -> bytes:
    return b"Content-Type: application/json\r\n" if way.content else b""
