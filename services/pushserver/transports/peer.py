"""What the kernel knows of the other end of a connection, and how long it waits for it (Linux; elsewhere: little)."""

import errno
import socket
import struct
from typing import Any, Final, NamedTuple

from services.pushserver.settings import PushServerSettings

_USER_TIMEOUT: Final[int | None] = getattr(socket, "TCP_USER_TIMEOUT", None)
_INFO: Final[int | None] = getattr(socket, "TCP_INFO", None)
_LOOK: Final = struct.Struct("=24xI92xQ16xI")
"""Of `struct tcp_info`, the same since Linux 4.6: `tcpi_unacked`, `tcpi_bytes_acked`, `tcpi_notsent_bytes`."""
_DEATHS: Final = frozenset({errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH})


class Look(NamedTuple):
    """A moment's view. `waiting`: the peer isn't taking all that there is for it. `taken` changes when it takes a byte.

    `shut`: it has acknowledged all that it was sent, so it lives; it has no room for more.
    """

    waiting: bool
    taken: int
    shut: bool


def look_at(transport: Any) -> Look:
    """Look at a connection that isn't closed yet: one system call."""
    if _INFO is not None:
        info = transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, _INFO, _LOOK.size)
        if len(info) == _LOOK.size:
            unacknowledged, taken, unsent = _LOOK.unpack(info)
            return Look(unsent > 0, taken, unacknowledged == 0)
    buffered = transport.get_write_buffer_size()
    return Look(buffered > 0, buffered, shut=False)


def wait_for(transport: Any, timeout_s: float) -> None:
    """Let the kernel end the connection when it acknowledges nothing, or has no room, for longer than this."""
    if _USER_TIMEOUT is not None:
        milliseconds = round(timeout_s * 1000)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, _USER_TIMEOUT, milliseconds)


def to_be_pinged(settings: PushServerSettings) -> bool:
    """Whether clients have to show that they live, by their answers to pings."""
    return settings.websocket_ping == "on" or (settings.websocket_ping == "auto" and _USER_TIMEOUT is None)


def is_death(error: Exception | None) -> bool:
    """Whether a connection ended because nothing came back from its peer, as far as the kernel says."""
    return isinstance(error, OSError) and error.errno in _DEATHS
