"""A connection that is told changes as a stream: a WebSocket, an event stream, or the floor's bare bytes."""

import re
import socket
import struct
from typing import Final

from load.bench.crowd.group import Group
from load.bench.crowd.journal import Journal
from load.bench.specimen import END, MARK, now_ns

_BUFFER: Final = bytearray(256 * 1024)
"""One for all: what is read is counted at once, and kept only for journals."""
_SYNCED: Final = b'"event":"synced"'
_CURSOR: Final = re.compile(rb'"cursor":"([^"]+)"')
_REFUSAL: Final = re.compile(rb"HTTP/1\.1 [345]\d\d [^\r]*")
_RESET_AT_CLOSE: Final = struct.pack("ii", 1, 0)


class Reader:
    """Counts data frames and last ones; while it is not `synced`, it also looks for what says that it is."""

    __slots__ = ("_greeting", "_receive_into", "ended", "group", "journal", "received", "sock", "synced")

    def __init__(self, sock: socket.socket, group: Group, journal: Journal | None, *, greeted: bool = False) -> None:
        self.sock = sock
        self.group = group
        self.journal = journal
        self.received = 0
        self.ended = 0
        self.synced = greeted
        self._greeting = b""
        self._receive_into = sock.recv_into

    def begin(self) -> None:
        """Count from zero."""
        self.received = self.ended = 0
        if self.journal is not None:
            self.journal.clear()

    def on_readable(self) -> bool:
        """Read once; False when the connection has ended."""
        try:
            size = self._receive_into(_BUFFER)
        except BlockingIOError:
            return True
        except OSError as error:
            return self._lose(repr(error))
        if not size:
            return self._lose("closed by the server")
        if self.journal is not None:
            self.journal.note(now_ns(), bytes(memoryview(_BUFFER)[:size]))
        if not self.synced and not self._greet(bytes(memoryview(_BUFFER)[:size])):
            return False
        self._count(_BUFFER.count(MARK, 0, size), _BUFFER.count(END, 0, size))
        return True

    def close(self) -> None:
        """Reset it: the local port is free again at once."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
        self.sock.close()

    def _count(self, marks: int, ends: int) -> None:
        group = self.group
        self.received += marks
        group.received += marks
        if ends:
            self.ended += ends
            group.ended += ends
            group.last_ns = now_ns()

    def _greet(self, data: bytes) -> bool:
        """Look for the end of the initial state; False when there will be none."""
        greeting = self._greeting + data
        if refusal := _REFUSAL.match(greeting):
            return self._lose(refusal[0].decode(errors="replace"))
        at = greeting.find(_SYNCED)
        if at < 0:
            # A snapshot may be long: only what could be the beginning of the word is kept.
            self._greeting = greeting[-len(_SYNCED) :]
            return True
        self.synced = True
        self._greeting = b""
        if cursor := _CURSOR.search(greeting, at):
            self.group.cursor = cursor[1].decode()
        self.group.on_synced(resumed=b'"resumed":true' in greeting[at:])
        return True

    def _lose(self, why: str) -> bool:
        self.group.lose(why)
        return False
