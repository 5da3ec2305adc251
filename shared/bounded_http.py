"""HTTP/1.1 that holds clients to bounds before anything is known of them.

uvicorn has a limit for none of this: how long a head may be, how long it may take to arrive, how many connections may
say nothing, and how long the rest of a body may take after the answer.
"""

import logging
from typing import Any, Final, Literal

import httptools
from uvicorn.protocols.http.flow_control import FlowControl

from shared.doorstep import EXTENSION, Doorstep, Reason
from shared.http1 import MOST_WAITING, Http1, encoded, last_answer
from shared.problem import Problem

_log: Final = logging.getLogger("uvicorn.error")
_PIECE: Final = 16_384
"""What the parser gets at once: until it has seen the end of a field it keeps it, and doesn't say so."""
_MOST_FIELDS: Final = 128
"""Of a head: the shortest field takes 30 times its bytes in memory."""


class BoundedHttp(Http1):
    """One connection, bounded; `server_state` has a `doorstep`.

    Who sends too much or too slowly is refused with a problem and the end of the connection; what it is still owed for
    earlier requests it gets first, and then that is the end.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shared: Any = self.server_state
        self._doorstep: Doorstep = shared.doorstep
        self._part: Literal["", "head", "body"] = ""
        self._head_bytes = 0
        self._kept_bytes = 0
        self._told = False
        self._excess: tuple[Problem, Reason] | None = None

    # The transport's calls

    def connection_made(self, transport: Any) -> None:
        """Take a connection in. Its own address stays None: nobody asks for it, and it costs system calls."""
        self.connections.add(self)
        self.client = (transport.get_extra_info("peername") or ())[:2] or None
        self.transport = transport
        self.flow = FlowControl(transport)
        self.scheme = "http" if transport.get_extra_info("sslcontext") is None else "https"
        if self._doorstep.let_in(transport):
            self._doorstep.expect(self)
        else:
            self._turn_away(Problem("try_again", "too many wait to be admitted"), "too_many")

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._doorstep.leave(self)
        self._doorstep.admit(self.transport)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read."""
        self._on_data()
        self._read(data)

    def _on_data(self) -> None:
        # An empty line is data, and no request: the time for one runs from then on, however many more there are.
        self._unset_keepalive_if_required()
        cycle: Any = self.cycle
        if not self._deaf and (cycle is None or cycle.response_complete):
            self._doorstep.expect(self)

    # The doorstep's call

    def on_late(self) -> bool:
        """Turn the client away, unless it is this server that doesn't read."""
        if self.flow.read_paused:
            return False
        if self._part == "head":
            within = f"{self._doorstep.limits.head_timeout_s:g} s"
            self._turn_away(Problem("request_timeout", f"the head of a request takes at most {within}"), "slow_head")
        else:
            self._doorstep.count("slow_body" if self._part else "silent")
            self._hang_up()
        return True

    # What the parser is given

    def _read(self, data: bytes) -> None:
        at = 0
        while at < len(data) and not self._deaf:
            try:
                at += self._feed(data[at : at + _PIECE])
            except httptools.HttpParserUpgrade as upgrade:
                at += upgrade.args[0]
                # A protocol that isn't spoken here: this was a request like others, and so is what follows.
                if self._should_upgrade():
                    self._upgrade(data[at:])
                    return

    def _feed(self, piece: bytes) -> int:
        self._told = False
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            raise
        except httptools.HttpParserError:
            self._refuse_garbage()
        else:
            self._kept_bytes = 0 if self._told else self._kept_bytes + len(piece)
            if not self._deaf and self._kept_bytes > self._doorstep.limits.max_head_bytes:
                self._turn_away(*self._too_long())
        return len(piece)

    # What the parser says

    def on_message_begin(self) -> None:
        """A request begins."""
        self._told = True
        self._part, self._head_bytes = "head", 0
        self._doorstep.expect(self)
        super().on_message_begin()
        scope: Any = self.scope
        scope["extensions"] = {EXTENSION: self.admitted}

    def on_url(self, url: bytes) -> None:
        """A part of the address."""
        self._add(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head; one behind the body only takes room."""
        self._add(len(name) + len(value) + 4)
        if self._part == "head":
            super().on_header(name, value)
            if len(self.headers) > _MOST_FIELDS:
                self._exceed(*self._too_long())

    def on_headers_complete(self) -> None:
        """The head is whole; raises NotTakenIn."""
        self._told = True
        super().on_headers_complete()
        self._part = "body"
        self._doorstep.leave(self)

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._told = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._told = True
        self._part = ""
        super().on_message_complete()

    def _add(self, size: int) -> None:
        self._told = True
        self._head_bytes += size
        if self._head_bytes > self._doorstep.limits.max_head_bytes:
            self._exceed(*self._too_long())

    def _too_long(self) -> tuple[Problem, Reason]:
        most = f"{self._doorstep.limits.max_head_bytes} bytes and {_MOST_FIELDS} fields"
        return Problem("head_too_large", f"the head of a request has at most {most}"), "long_head"

    def _exceed(self, problem: Problem, reason: Reason) -> None:
        self._excess = problem, reason
        raise problem

    # What the app says

    def admitted(self) -> None:
        """A request was admitted: this is no stranger any more."""
        self._doorstep.admit(self.transport)

    def on_response_complete(self) -> None:
        """Go on; who was answered before it had sent its whole request still owes the rest."""
        super().on_response_complete()
        if self._part == "body" and not self._deaf:
            self._doorstep.expect(self)

    # Ends

    def _turn_away(self, problem: Problem, reason: Reason) -> None:
        self._doorstep.count(reason)
        cycle: Any = self.cycle
        if self._part == "body" and cycle is not None and cycle.response_started:
            # There is no place for a second answer to the same request.
            self._hang_up()
        elif not self._ends_with_an_answer():
            self._hang_up(last_answer(problem.status, encoded(problem), problem.body()))

    def _hang_up(self, word: bytes = b"") -> None:
        self._go_deaf()
        if word:
            self.transport.write(word)
        self.transport.close()

    def _refuse_garbage(self) -> None:
        self._turn_away(*(self._excess or _not_taken_in(len(self.pipeline))))

    @property
    def _deaf(self) -> bool:
        parser: Any = self.parser
        return parser is None

    def _go_deaf(self) -> None:
        # What was raised refers to where it was, and so to this.
        self._excess = None
        self._doorstep.leave(self)
        super()._go_deaf()


def _not_taken_in(waiting: int) -> tuple[Problem, Reason]:
    _log.warning("Invalid HTTP request received.")
    return Problem("invalid", "Invalid HTTP request received."), "pipelined" if waiting >= MOST_WAITING else "no_http"
