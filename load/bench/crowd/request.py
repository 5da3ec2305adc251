"""What a connection says first, for each transport."""

from collections.abc import Callable, Mapping
from typing import Final

_HOST: Final = b"Host: localhost\r\n"


def upgrade(target: str) -> bytes:
    """A WebSocket handshake (RFC 6455)."""
    return b"".join((
        b"GET %b HTTP/1.1\r\n" % target.encode(),
        _HOST,
        b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n",
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: watch.v1.json\r\n\r\n",
    ))  # fmt: skip


def get(target: str) -> bytes:
    """An event stream, or a poll: the target says which."""
    return b"GET %b HTTP/1.1\r\n%b\r\n" % (target.encode(), _HOST)


def silence(_target: str) -> bytes:
    """Nothing: who connects to the floor is sent bytes at once."""
    return b""


REQUESTS: Final[Mapping[str, Callable[[str], bytes]]] = {"ws": upgrade, "sse": get, "poll": get, "raw": silence}
