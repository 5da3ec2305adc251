"""A WebSocket that pings without pause: the longest wait for a pong is the longest pause of the server's loop."""

import socket
from typing import Final

from load.bench.crowd.group import Group
from load.bench.crowd.reader import Reader
from load.bench.specimen import now_ns

_PING: Final = bytes.fromhex("898000000000")
"""Masked with zeros, and empty."""
_PONG: Final = bytes.fromhex("8a00")


class Prober(Reader):
    """Pings `every_ns` at most, and never while a pong is due; keeps each delay."""

    __slots__ = ("_every_ns", "_pinged_ns", "_waiting", "delays_ns")

    def __init__(self, sock: socket.socket, group: Group, every_ns: int) -> None:
        super().__init__(sock, group, None)
        self.delays_ns: list[int] = []
        self._every_ns = every_ns
        self._pinged_ns = 0
        self._waiting = False

    def begin(self) -> None:
        """Forget what was measured so far."""
        super().begin()
        self.delays_ns.clear()

    def on_readable(self) -> bool:
        """Note the pong; False when the connection has ended."""
        if not self.synced:
            return super().on_readable()
        try:
            data = self.sock.recv(4096)
        except OSError as error:
            return self._lose(repr(error))
        if not data:
            return self._lose("closed by the server")
        if self._waiting and _PONG in data:
            self._waiting = False
            self.delays_ns.append(now_ns() - self._pinged_ns)
        return True

    def ping(self) -> None:
        """Ping, if it is time to."""
        now = now_ns()
        if self.synced and not self._waiting and now - self._pinged_ns >= self._every_ns:
            self._waiting = True
            self._pinged_ns = now
            self.sock.send(_PING)
