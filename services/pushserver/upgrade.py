"""The opening handshake of a WebSocket: what a request has to say, and what it is answered (RFC 6455, section 4.2).

The request was parsed as HTTP before: nothing here reads bytes.
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

from shared.problem import Problem

Headers = Sequence[tuple[bytes, bytes]]
"""Names in small letters, and values, in the order in which they came."""

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY: Final = re.compile(rb"[A-Za-z0-9+/]{22}==")
_VERSION: Final = b"13"
_READ: Final = frozenset({b"host", b"sec-websocket-key", b"sec-websocket-version", b"sec-websocket-protocol"})


def wants_websocket(headers: Headers) -> bool:
    """Whether a request that wants another protocol wants this one."""
    return any(name == b"upgrade" and value.lower() == b"websocket" for name, value in headers)


def read_handshake(scope: MutableMapping[str, Any], url: bytes) -> bytes:
    """Check a request that `wants_websocket`, and turn its ASGI scope into that of a WebSocket.

    Returns what proves to the client that its key was read; raises Problem.
    """
    if scope["method"] != "GET":
        raise Problem("method_not_allowed", "a WebSocket is opened with GET", headers={"Allow": "GET"})
    if scope["http_version"] != "1.1":
        raise Problem("invalid", "a WebSocket is opened over HTTP/1.1")
    fields: dict[bytes, list[bytes]] = {}
    for name, value in scope["headers"]:
        if name in _READ:
            fields.setdefault(name, []).append(value)
    accept = _checked(fields)
    raw_path, _, query = url.partition(b"?")
    if not url.isascii():
        raise Problem("invalid", "a URL is percent-encoded UTF-8")
    del scope["method"]
    scope["type"] = "websocket"
    scope["scheme"] = "wss" if scope["scheme"] == "https" else "ws"
    scope["path"], scope["raw_path"], scope["query_string"] = unquote(raw_path.decode()), raw_path, query
    scope["subprotocols"] = [token for value in fields.get(b"sec-websocket-protocol", ()) for token in _tokens(value)]
    return accept


def _checked(fields: Mapping[bytes, list[bytes]]) -> bytes:
    if len(fields.get(b"host", ())) != 1:
        raise Problem("invalid", "a request names its Host, once")
    if fields.get(b"sec-websocket-version") != [_VERSION]:
        spoken = {"Sec-WebSocket-Version": _VERSION.decode()}
        raise Problem("upgrade_required", "the Sec-WebSocket-Version spoken here is 13", headers=spoken)
    keys = fields.get(b"sec-websocket-key", ())
    if len(keys) != 1 or not _KEY.fullmatch(keys[0]):
        raise Problem("invalid", "a handshake has one Sec-WebSocket-Key: 16 bytes, in base64")
    return base64.b64encode(hashlib.sha1(keys[0] + _GUID, usedforsecurity=False).digest())


def switching(accept: bytes, headers: Iterable[tuple[str, str]]) -> bytes:
    """The head of the answer after which the connection is a WebSocket."""
    more = "".join([f"{name}: {value}\r\n" for name, value in headers]).encode("latin-1")
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: %b\r\n%b\r\n" % (accept, more)
    )


def _tokens(value: bytes) -> list[str]:
    return [token.strip() for token in value.decode("latin-1").split(",")]
