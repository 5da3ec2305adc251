"""One request of any kind, as bytes: its status, and the code of its problem."""

import asyncio
import ssl
from collections.abc import Mapping
from typing import NamedTuple

import orjson

from tests.support.server import HOST

_WITHIN_S = 10
_UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


class Asked(NamedTuple):
    """An answer: `code` is empty where it is no problem; `head` and `body` as they came."""

    status: int
    code: str
    head: str
    body: bytes


class Route(NamedTuple):
    """How something is asked for; `upgrade` to a WebSocket. `streams`: its body has no end."""

    method: str
    target: str
    accept: str = "*/*"
    upgrade: bool = False
    streams: bool = False
    body: bytes = b""


async def ask(
    port: int, route: Route, headers: Mapping[str, str], query: str = "", *, tls: ssl.SSLContext | None = None
) -> Asked:
    """Ask, and hang up once there is an answer."""
    target = route.target if not query else f"{route.target}{'&' if '?' in route.target else '?'}{query}"
    host = "localhost" if tls else HOST
    lines = {"Host": f"{host}:{port}", "Accept": route.accept, **headers}
    if route.upgrade:
        offered = headers.get("Sec-WebSocket-Protocol")
        lines |= {**_UPGRADE, "Sec-WebSocket-Protocol": f"watch.v1.json, {offered}" if offered else "watch.v1.json"}
    if route.body:
        lines |= {"Content-Type": "application/json", "Content-Length": str(len(route.body))}
    reader, writer = await asyncio.open_connection(host, port, ssl=tls)
    try:
        async with asyncio.timeout(_WITHIN_S):
            head = "".join(f"{name}: {text}\r\n" for name, text in lines.items())
            writer.write(f"{route.method} {target} HTTP/1.1\r\n{head}\r\n".encode() + route.body)
            return await _answer(reader, route)
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader, route: Route) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
    length = int(fields.get("content-length", "0")) if route.method != "HEAD" else 0
    body = await reader.readexactly(length)
    problem = fields.get("content-type", "") == "application/problem+json" and body
    return Asked(int(head.split(" ", 2)[1]), orjson.loads(body)["code"] if problem else "", head, body)
