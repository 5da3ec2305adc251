"""A TCP port that stays ours while the process that listens on it comes and goes."""

import socket


class ReservedPort:
    """A free loopback port, held until `release`.

    The port is bound here, never listened on: Linux then lets another socket with SO_REUSEADDR (as Java's and Python's
    servers set it) listen on it, but hands it to nobody who asks for any free port. So a broker that was killed finds
    its own port free again, and until then a connection to it is refused.
    """

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", 0))
        self.number: int = self._socket.getsockname()[1]

    @property
    def address(self) -> str:
        """`host:port`."""
        return f"127.0.0.1:{self.number}"

    def release(self) -> None:
        """Give the port back to the system."""
        self._socket.close()
