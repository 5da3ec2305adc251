"""A connection that long-polls: each answer is followed by the next request."""

import re
import socket
from typing import Final

from load.bench.crowd.group import Group
from load.bench.crowd.journal import Journal
from load.bench.crowd.reader import Reader
from load.bench.crowd.request import get
from load.bench.specimen import END, MARK, now_ns

_CHUNK: Final = 256 * 1024
_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_NEXT: Final = re.compile(rb'"cursor":"([^"]+)"\}$')
_OK: Final = b"HTTP/1.1 200 "


class Poller(Reader):
    """Its first answer, the snapshot, is what syncs it."""

    __slots__ = ("_answer", "_target")

    def __init__(self, sock: socket.socket, group: Group, journal: Journal | None, target: str) -> None:
        super().__init__(sock, group, journal)
        self._target = target
        self._answer = b""

    def on_readable(self) -> bool:
        """Read once, and ask again when the answer is complete; False when the connection has ended."""
        try:
            data = self.sock.recv(_CHUNK)
        except BlockingIOError:
            return True
        except OSError as error:
            return self._lose(repr(error))
        if not data:
            return self._lose("closed by the server")
        self._answer += data
        head, found, body = self._answer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not found or length is None or len(body) < int(length[1]):
            return True
        self._answer = b""
        return self._take(head, body)

    def _take(self, head: bytes, body: bytes) -> bool:
        cursor = _NEXT.search(body)
        if not head.startswith(_OK) or cursor is None:
            return self._lose(head.partition(b"\r")[0].decode(errors="replace"))
        if self.journal is not None:
            self.journal.note(now_ns(), body)
        if not self.synced:
            self.synced = True
            self.group.on_synced(resumed=False)
        self._count(body.count(MARK), body.count(END))
        self.sock.send(get(f"{self._target}?cursor={cursor[1].decode()}"))
        return True
