"""The clients of the users, over a pair of connected sockets: the other end is written by hand."""

import socket
import time
from collections.abc import Iterator

import h11
import pytest

from load.users.caller import Caller
from load.users.http import Http, Refused
from load.users.line import Endpoint, LifeOver, Line
from load.users.websocket import WebSocket

# The answer to the key that the tests put in the place of a random one.
ACCEPTED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Set-Cookie: watchroute=7; Path=/\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: watch.v1.json\r\n\r\n"
)
KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class Ends:
    """A line, and the server's end of it."""

    def __init__(self) -> None:
        near, self.far = socket.socketpair()
        self.line = Line(near)
        self.far.settimeout(5)

    def close(self) -> None:
        self.line.close()
        self.far.close()


@pytest.fixture
def ends() -> Iterator[Ends]:
    opened = Ends()
    yield opened
    opened.close()


@pytest.fixture
def websocket(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> WebSocket:
    monkeypatch.setattr("wsproto.handshake.generate_nonce", lambda: KEY)
    return WebSocket(ends.line)


def text_frame(text: str, *, last: bool = True, first: bool = True) -> bytes:
    return bytes([last << 7 | first, len(text)]) + text.encode()


def test_requests_share_a_connection_and_say_who_asks(ends: Ends) -> None:
    http = Http(ends.line, "door:8443")
    for number in (b"1", b"2"):
        ends.far.sendall(b"HTTP/1.1 200 OK\r\nETag: x\r\nContent-Length: 1\r\n\r\n" + number)
        answer, body = http.ask("GET", "/v1/a", {"Cookie": "watchroute=7"})
        assert (answer.status, answer.fields["etag"], body, http.reusable) == (200, "x", number, True)
    asked = ends.far.recv(4096)
    assert asked.startswith(b"GET /v1/a HTTP/1.1\r\nHost: door:8443\r\nCookie: watchroute=7\r\n\r\n")
    assert asked.count(b"GET ") == 2


def test_a_server_that_wants_to_hang_up_is_asked_no_more(ends: Ends) -> None:
    http = Http(ends.line, "door")
    ends.far.sendall(b"HTTP/1.1 503 Later\r\nRetry-After: 4\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    answer, _ = http.ask("GET", "/v1/a", {})
    assert (answer.later, answer.retry_after_s, http.reusable) == (True, 4, False)


def test_a_stream_is_told_as_it_comes(ends: Ends) -> None:
    http = Http(ends.line, "door")
    ends.far.sendall(CHUNKED + b"3\r\nabc\r\n")
    assert http.begin("GET", "/v1/a/stream", {}).status == 200
    pieces = http.pieces()
    assert next(pieces) == b"abc"
    ends.far.sendall(b"2\r\nde\r\n0\r\n\r\n")
    assert list(pieces) == [b"de"]


def test_an_answer_that_is_cut_off_is_no_answer(ends: Ends) -> None:
    http = Http(ends.line, "door")
    ends.far.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
    ends.far.shutdown(socket.SHUT_WR)
    with pytest.raises(h11.RemoteProtocolError):
        http.ask("GET", "/v1/a", {})


def test_a_caller_connects_again_when_it_has_to() -> None:
    made: list[Ends] = []

    def connect() -> Line:
        made.append(Ends())
        close = b"Connection: close\r\n" if len(made) == 1 else b""
        made[-1].far.sendall(b"HTTP/1.1 200 OK\r\n%bContent-Length: 0\r\n\r\n" % close)
        return made[-1].line

    caller = Caller(connect, "door")
    assert [caller.ask("GET", "/", {})[0].status for _ in range(2)] == [200, 200]
    assert len(made) == 2
    made[-1].far.sendall(b"HTTP/1.1 304 Same\r\n\r\n")
    assert caller.ask("GET", "/", {})[0].status == 304
    assert len(made) == 2
    made[-1].far.close()
    with pytest.raises((OSError, h11.RemoteProtocolError)):
        caller.ask("GET", "/", {})
    assert caller.ask("GET", "/", {})[0].status == 200
    assert len(made) == 3
    caller.close()
    for one in made:
        one.close()


def test_what_comes_with_the_handshake_is_not_lost(ends: Ends, websocket: WebSocket) -> None:
    ends.far.sendall(ACCEPTED + text_frame("one") + text_frame("two"))
    assert websocket.open("door", "/v1/a/ws", {}).cookie == "watchroute=7"
    messages = websocket.messages()
    assert [next(messages), next(messages)] == ["one", "two"]


def test_a_message_may_come_in_pieces(ends: Ends, websocket: WebSocket) -> None:
    ends.far.sendall(ACCEPTED + text_frame("on", last=False) + text_frame("e", first=False)[:2])
    websocket.open("door", "/v1/a/ws", {})
    ends.far.sendall(b"e")
    assert next(websocket.messages()) == "one"


def test_the_close_code_and_its_reason_are_kept(ends: Ends, websocket: WebSocket) -> None:
    ends.far.sendall(ACCEPTED + text_frame("one") + b"\x88\x05" + (4008).to_bytes(2) + b"cur")
    websocket.open("door", "/v1/a/ws", {})
    assert list(websocket.messages()) == ["one"]
    assert (websocket.code, websocket.reason) == (4008, "cur")


def test_an_end_without_a_close_is_abnormal(ends: Ends, websocket: WebSocket) -> None:
    ends.far.sendall(ACCEPTED)
    websocket.open("door", "/v1/a/ws", {})
    ends.far.shutdown(socket.SHUT_WR)
    assert list(websocket.messages()) == []
    assert websocket.code == 1006


def test_a_refused_handshake_says_why(ends: Ends, websocket: WebSocket) -> None:
    ends.far.sendall(b'HTTP/1.1 429 Many\r\nRetry-After: 9\r\nContent-Length: 13\r\n\r\n{"code":"too"}'[:-1])
    with pytest.raises(Refused) as caught:
        websocket.open("door", "/v1/a/ws", {})
    assert (caught.value.answer.status, caught.value.answer.retry_after_s) == (429, 9)
    assert caught.value.body == b'{"code":"too"'


def test_a_ping_is_answered(ends: Ends, websocket: WebSocket) -> None:
    ends.far.sendall(ACCEPTED + b"\x89\x00" + text_frame("one"))
    websocket.open("door", "/v1/a/ws", {})
    asked = ends.far.recv(4096)
    assert next(websocket.messages()) == "one"
    assert (b"\r\n\r\n" in asked, ends.far.recv(4096)[:1]) == (True, b"\x8a")


def test_a_life_ends_while_nothing_comes_and_while_much_does(ends: Ends) -> None:
    ends.line.until = time.monotonic() + 0.02
    with pytest.raises(LifeOver):
        ends.line.read()
    ends.far.sendall(b"more")
    with pytest.raises(LifeOver):
        ends.line.read()


def test_a_life_may_be_made_longer_while_somebody_reads(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("load.users.line.time.monotonic", lambda: 0.0)

    def give_up_once(self: Line, timeout_s: float) -> None:
        """As if the time had passed, and the line had been told to stay meanwhile."""
        assert timeout_s == 7
        monkeypatch.undo()
        self.until = None
        raise TimeoutError

    ends.line.until = 7
    monkeypatch.setattr(Line, "_receive", give_up_once)
    ends.far.sendall(b"more")
    assert ends.line.read() == b"more"


def test_a_line_that_is_cut_is_at_its_end(ends: Ends) -> None:
    ends.line.cut()
    assert ends.line.read() == b""


@pytest.mark.parametrize("url", ["localhost:8443", "ftp://localhost", "", "https://"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="is no address"):
        Endpoint(url)
