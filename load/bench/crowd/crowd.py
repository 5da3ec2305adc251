"""All connections of the process, behind one epoll."""

import os
import select
import socket
from collections.abc import Callable, Iterator
from typing import Final

from load.bench.crowd.group import Group
from load.bench.crowd.prober import Prober
from load.bench.crowd.reader import Reader

_HOST: Final = "127.0.0.1"
_EVENTS: Final = 512


class Crowd:
    """Readers by file descriptor, in groups by name."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._readers: dict[int, Reader] = {}
        self._groups: dict[str, Group] = {}
        self.probers: list[Prober] = []

    def listen(self, fd: int) -> None:
        """Let `turn` return early when there is something to read at `fd`, which is no connection of ours."""
        self._epoll.register(fd, select.EPOLLIN)

    def group(self, name: str) -> Group:
        """The group of that name, made when it is first asked for."""
        return self._groups.setdefault(name, Group(name))

    def connect(self, port: int, request: bytes, group: Group, make: Callable[[socket.socket], Reader]) -> None:
        """Add a connection, its request sent."""
        # On the loopback interface this takes no time, unless the listener's queue is full.
        sock = socket.socket()
        sock.connect((_HOST, port))
        if request:
            sock.sendall(request)
        sock.setblocking(False)  # noqa: FBT003 -- the standard library's signature
        reader = make(sock)
        group.readers.append(reader)
        self._readers[sock.fileno()] = reader
        self._epoll.register(sock, select.EPOLLIN)
        if isinstance(reader, Prober):
            self.probers.append(reader)

    def close(self, name: str) -> None:
        """Close and forget a group."""
        for reader in self._groups.pop(name).readers:
            # Whoever was lost has already been taken off.
            if self._readers.pop(reader.sock.fileno(), None) is not None:
                self._epoll.unregister(reader.sock)
                reader.close()
        self.probers = [prober for prober in self.probers if prober.group.name != name]

    def turn(self, wait_s: float) -> Iterator[int]:
        """Wait for what can be read, and read it; gives the descriptors that are no connection of ours."""
        for fd, _ in self._epoll.poll(wait_s, _EVENTS):
            reader = self._readers.get(fd)
            if reader is None:
                yield fd
            elif not reader.on_readable():
                self._epoll.unregister(fd)
                del self._readers[fd]
                reader.close()


def read_lines(fd: int, rest: bytes) -> tuple[list[bytes], bytes]:
    """The lines that have arrived at `fd`, and what is left of the next; raises EOFError at the end."""
    data = os.read(fd, 65_536)
    if not data:
        raise EOFError
    *lines, rest = (rest + data).split(b"\n")
    return lines, rest
