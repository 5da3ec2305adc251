"""Connections of an attacker: they never wait, and what they are told is only counted."""

import re
import socket
import struct
from collections import Counter
from typing import Final

_RESET_AT_CLOSE: Final = struct.pack("ii", 1, 0)
_READ_BYTES: Final = 65_536
_CODES: Final = re.compile(rb'"code":"(\w+)"')
_STATUS: Final = re.compile(rb"HTTP/1\.1 (\d{3})")


class Target:
    """A push server's port; `seen` counts statuses and codes, `cut` and `refused` for connections."""

    def __init__(self, port: int) -> None:
        self.seen: Counter[str] = Counter()
        self._address = ("127.0.0.1", port)

    def connect(self, *, receive_bytes: int = 0) -> "Line | None":
        """A new connection; None when there is none to be had."""
        sock = socket.socket()
        if receive_bytes:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        try:
            # On the loopback interface this takes no time, unless the listener's queue is full.
            sock.settimeout(0.05)
            sock.connect(self._address)
        except OSError:
            self.seen["no connection"] += 1
            sock.close()
            return None
        sock.setblocking(False)  # noqa: FBT003 -- the standard library's signature
        return Line(self, sock)


class Line:
    """One connection."""

    def __init__(self, target: Target, sock: socket.socket) -> None:
        self._target = target
        self._sock = sock
        self.open = True

    def send(self, data: bytes) -> None:
        """Say something, if there is room for it."""
        try:
            self._sock.send(data)
        except BlockingIOError:
            self._target.seen["no room"] += 1
        except OSError:
            self._cut()

    def hear(self) -> bytes:
        """Count what was said meanwhile, and return it."""
        try:
            data = self._sock.recv(_READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        for code in _CODES.findall(data) or _STATUS.findall(data):
            self._target.seen[code.decode()] += 1
        if not data:
            self._cut()
        return data

    def close(self) -> None:
        """Reset it: the local port is free again at once."""
        self.open = False
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
        self._sock.close()

    def _cut(self) -> None:
        if self.open:
            self._target.seen["cut"] += 1
            self.close()
