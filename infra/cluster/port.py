"""A TCP port that stays ours while the process that listens on it comes and goes."""

import socket

from infra.cluster.process import HOST


class PortTaken(Exception):
    """Another program listens there, or the system keeps the port for itself."""


class ReservedPort:
    """A loopback port, the one asked for or a free one (0), held as long as this object, or until `release`.

    Raises PortTaken.

    The port is bound here, never listened on: Linux then lets another socket with SO_REUSEADDR (as Java's, Python's and
    HAProxy's have it) listen on it, but hands it to nobody who asks for any free port. So a process that was killed
    finds its own port free again, and until then a connection to it is refused.
    """

    def __init__(self, number: int = 0) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((HOST, number))
        except OSError as taken:
            self._socket.close()
            raise PortTaken(f"port {number} is taken: {taken.strerror}") from None
        self.number: int = self._socket.getsockname()[1]

    @property
    def address(self) -> str:
        """`host:port`."""
        return f"{HOST}:{self.number}"

    def release(self) -> None:
        """Give the port back to the system."""
        self._socket.close()

    def __del__(self) -> None:
        self._socket.close()
