"""A TCP or TLS connection, as a greenlet uses it."""

import itertools
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

_CONNECT_S: Final = 10.0
_SILENCE_S: Final = 90.0
"""Longer than any bookmark or poll takes: a server that says nothing for so long is gone."""
_READ_BYTES: Final = 65_536


class LifeOver(Exception):
    """The watcher has had this connection for as long as it wanted to."""


class Endpoint:
    """The address of a URL, looked up once, and how to trust it: by `ca`, or by what the system trusts."""

    def __init__(self, url: str, *, ca: str = "", server_name: str = "", sources: int = 0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"{url} is no address: say --host https://localhost:8443")
        self.host = parts.netloc
        self._name = server_name or parts.hostname
        self._tls = ssl.create_default_context(cafile=ca or None) if parts.scheme == "https" else None
        port = parts.port or (443 if self._tls else 80)
        self._address = _look_up(parts.hostname, port, ipv4=bool(sources))
        self._sources = itertools.cycle(_sources(sources))

    def connect(self) -> "Line":
        """A connection; raises OSError."""
        source = next(self._sources)
        sock = socket.create_connection(self._address, _CONNECT_S, source_address=(source, 0) if source else None)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls:
                sock = self._tls.wrap_socket(sock, server_hostname=self._name)
        except BaseException:
            sock.close()
            raise
        return Line(sock)


class Line:
    """Bytes in, bytes out. `until` is when its life ends (monotonic, seconds); None: it doesn't. It may be changed."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.until: float | None = None

    def read(self) -> bytes:
        """What has come, at least one byte, or nothing at the end; raises LifeOver, OSError (TimeoutError)."""
        while True:
            left_s = _SILENCE_S if self.until is None else self.until - time.monotonic()
            if left_s <= 0:
                raise LifeOver
            try:
                return self._receive(min(left_s, _SILENCE_S))
            except TimeoutError:
                if left_s >= _SILENCE_S:
                    raise

    def write(self, data: bytes) -> None:
        """Send all of it; raises OSError."""
        self._sock.settimeout(_CONNECT_S)
        self._sock.sendall(data)

    def cut(self) -> None:
        """End it for whoever reads it now."""
        with suppress(OSError):
            # TLS would forget its state, under the hands of whoever reads.
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)

    def close(self) -> None:
        """Hang up."""
        self._sock.close()

    def _receive(self, timeout_s: float) -> bytes:
        self._sock.settimeout(timeout_s)
        return self._sock.recv(_READ_BYTES)


def _look_up(host: str, port: int, *, ipv4: bool) -> tuple[str, int]:
    family = socket.AF_INET if ipv4 else socket.AF_UNSPEC
    found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)]
    # localhost is often bound for IPv4 only, and a name with both is reached by either.
    return min(found, key=lambda address: ":" in address), port


def _sources(count: int) -> Iterator[str]:
    """So many loopback addresses; the empty one where it is left to the system."""
    return (f"127.1.{number // 200}.{number % 200 + 1}" for number in range(count)) if count else iter([""])
