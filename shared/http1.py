"""HTTP/1.1 as uvicorn speaks it, for clients that send the next request before the last one is answered, or no HTTP.

It subclasses a private class of a pinned minor version of uvicorn, which tells only the newest request that the client
left, takes in as many as are sent, refuses garbage ahead of the answers that are owed, and minds no Host.
`tests/hostile/test_pipelining.py` drives each thing that is relied on.
"""

import logging
import re
from collections.abc import Iterable
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, Final

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from shared.problem import Problem

MOST_WAITING: Final = 100
"""Requests of one connection that wait while one is answered. Each is some kilobytes, and 28 bytes ask for one."""
EVERY_ANSWER: Final = {"X-Content-Type-Options": "nosniff"}
"""In the head of each: what is data is never taken for a page or a script, whatever it holds."""
_log: Final = logging.getLogger("uvicorn.error")


_HOST: Final = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(:[0-9]{0,5})?")


class NotTakenIn(Exception):
    """A request that is one too many, or doesn't say, once, whom it is for: what stops the parser."""


class Http1(HttpToolsProtocol):
    """One connection. After MOST_WAITING requests it is closed behind the last answer, which says so."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._answering: Any = None

    def data_received(self, data: bytes) -> None:
        """Read."""
        self._unset_keepalive_if_required()
        self._read(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever is answering that the client left, and forget what waits."""
        super().connection_lost(exc)
        self.pipeline.clear()
        cycle = self._answering
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()

    def on_headers_complete(self) -> None:
        """Begin to answer, or wait for one's turn; raises NotTakenIn."""
        if len(self.pipeline) >= MOST_WAITING or not self._names_its_host():
            raise NotTakenIn
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP with a problem document."""
        problem = Problem("invalid", msg)
        self._go_deaf()
        self.transport.write(last_answer(problem.status, encoded(problem), problem.body()))
        self.transport.close()

    def _read(self, data: bytes) -> None:
        while data and self.parser is not None:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                data = data[upgrade.args[0] :]
                if self._should_upgrade():
                    self._upgrade(data)
                    return
                # Any other protocol isn't spoken here: this was a request like others, and so is what follows.
            except httptools.HttpParserError:
                self._refuse_garbage()
                return
            else:
                return

    def _names_its_host(self) -> bool:
        """Whether it does so as RFC 9112, section 3.2, has it: once, in HTTP/1.0 also never, and with a name."""
        hosts = [value for name, value in self.headers if name == b"host"]
        if not hosts:
            return bool(self.parser.get_http_version() == "1.0")
        return len(hosts) == 1 and _HOST.fullmatch(hosts[0]) is not None

    def _should_upgrade(self) -> bool:
        return False

    def _upgrade(self, early: bytes) -> None:
        """Let another protocol go on, with what came behind its request; only where one is spoken."""
        raise NotImplementedError

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        # Not always `self.cycle`: a client may send the next request before this one is answered.
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def _refuse_garbage(self) -> None:
        _log.warning("Invalid HTTP request received.")
        if not self._ends_with_an_answer():
            self.send_400_response("Invalid HTTP request received.")

    def _ends_with_an_answer(self) -> bool:
        """Whether the client is still owed an answer to a whole request: that is then the last thing it hears.

        What came behind that request can't be answered before it, and after it the connection is closed.
        """
        cycle: Any = self.cycle
        if cycle is None or cycle.response_complete or cycle.more_body:
            return False
        cycle.keep_alive = False
        self._go_deaf()
        return True

    def _go_deaf(self) -> None:
        uvicorn: Any = self
        uvicorn.parser = None


def encoded(problem: Problem) -> list[tuple[bytes, bytes]]:
    """The headers of a refusal, as ASGI has them."""
    return [(name.encode(), text.encode()) for name, text in problem.response_headers().items()]


def last_answer(status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> bytes:
    """An answer with its body, after which the connection is closed."""
    always = [
        (b"Date", formatdate(usegmt=True).encode()),
        (b"Content-Length", b"%d" % len(body)),
        (b"Connection", b"close"),
        *((name.encode(), text.encode()) for name, text in EVERY_ANSWER.items()),
    ]
    lines = [b"%b: %b" % line for line in (*always, *headers)]
    if any(b"\r" in line or b"\n" in line for line in lines):
        raise ValueError("a header is one line")
    start = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode()
    return b"\r\n".join((start, *lines, b"", body))
