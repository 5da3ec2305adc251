"""Requests one after another, over as few connections as the server allows."""

import time
from collections.abc import Callable
from typing import Final

from load.users.http import Answer, Http
from load.users.line import Line

_FRESH_S: Final = 4.0
"""A server may hang up on a connection that has been idle for five seconds: better not to race it."""


class Caller:
    """A client that connects when it has to; raises what `Http.ask` raises, and what `connect` does."""

    def __init__(self, connect: Callable[[], Line], host: str) -> None:
        self._connect = connect
        self._host = host
        self._http: Http | None = None

    def ask(self, method: str, target: str, fields: dict[str, str], body: bytes = b"") -> tuple[Answer, bytes]:
        """One request and the whole of its answer; if that goes wrong, the next request has another connection."""
        http = self._fresh()
        self._http = None
        try:
            answer = http.ask(method, target, fields, body)
        except BaseException:
            http.line.close()
            raise
        self._http = http
        return answer

    def close(self) -> None:
        """Hang up."""
        if self._http:
            self._http.line.close()
            self._http = None

    def _fresh(self) -> Http:
        http = self._http
        if http and http.reusable and time.monotonic() - http.used_at < _FRESH_S:
            return http
        self.close()
        return Http(self._connect(), self._host)
