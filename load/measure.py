"""What the README and the notes quote: `make measure`.

A real broker, a producer and one push server as processes; figures as medians. The benchmark suite against floors and
peers is elsewhere; this says whether the road keeps its promises.
"""

import argparse
import asyncio
import json
import socket
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import aiohttp
import uvloop

from infra.cluster.service import Service
from shared.event import encode_headers
from tests.support.broker import Broker
from tests.support.broker_choice import choose_broker
from tests.support.fleet import Fleet
from tests.support.records import RawRecord, produce

_COLLECTIONS: Final = {"stocks": {"partitions": 12, "modes": ["state"]}}
_WARM_UP: Final = 20
"""Few: the memory that more of them gave back would hide what is measured."""
_WATCHERS: Final = 100
_PAUSE_S: Final = 0.02
_MARK: Final = b'"data":{"sent":'
_UPGRADE: Final = (
    b"GET /v1/stocks/S%d/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Protocol: watch.v1.json\r\n\r\n"
)
_STREAM: Final = b"GET /v1/stocks/S%d/stream HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def main() -> None:
    """Measure what was asked for, and print one line of JSON each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", default=[], help=f"of {', '.join(MEASUREMENTS)}; all when left out")
    parser.add_argument("--resources", type=int, default=200_000)
    parser.add_argument("--connections", type=int, default=5_000)
    parser.add_argument("--changes", type=int, default=1_000)
    options = parser.parse_args()
    async with choose_broker().broker as broker:
        print(f"# {broker.describe()}", flush=True)
        for name in options.what or MEASUREMENTS:
            with tempfile.TemporaryDirectory() as folder:
                figures = await MEASUREMENTS[name](broker, Path(folder), options)
            print(json.dumps({"measurement": name, **figures}), flush=True)


async def boot(broker: Broker, folder: Path, options: Any) -> dict[str, Any]:
    """How long a push server takes to be ready with so many resources, and what each costs."""
    async with Fleet(broker, folder, _COLLECTIONS, servers=0) as fleet:
        empty = (await fleet.add_server()).rss_bytes()
        await produce(broker.bootstrap, fleet.topic("stocks"), list(map(_record, range(options.resources))))
        seconds, memory = [], []
        for _ in range(3):
            began = time.monotonic()
            server = await fleet.add_server()
            seconds.append(time.monotonic() - began)
            memory.append(server.rss_bytes() - empty)
            await server.stop()
    value = len(_record(0).value or b"")
    return {
        "resources": options.resources,
        "ready_s": _spread(seconds),
        "bytes_per_resource_without_value": round(statistics.median(memory) / options.resources) - value,
        "value_bytes": value,
    }


async def idle(broker: Broker, folder: Path, options: Any) -> dict[str, Any]:
    """What an idle connection with one watch costs in resident memory.

    Nothing is read from Kafka first: memory that was used and given back would be used again, and not show.
    """
    figures: dict[str, Any] = {"connections": options.connections}
    async with Fleet(broker, folder, _COLLECTIONS, servers=0) as fleet:
        for name, request in (("websocket", _UPGRADE), ("sse", _STREAM)):
            server = await fleet.add_server()
            await _close(await _open(server, request, _WARM_UP))
            before = server.rss_bytes()
            sockets = await _open(server, request, options.connections)
            figures[f"{name}_rss_bytes"] = round((server.rss_bytes() - before) / options.connections)
            await _close(sockets)
            await server.stop()
    return figures


async def latency(broker: Broker, folder: Path, options: Any) -> dict[str, Any]:
    """From the start of a PUT to its answer, and to its arrival at each of 100 event streams, at 50 changes/s."""
    answered: list[float] = []
    async with Fleet(broker, folder, _COLLECTIONS, servers=1) as fleet, aiohttp.ClientSession() as session:
        loop = asyncio.get_running_loop()
        arrivals = Arrivals(_WATCHERS * options.changes)
        for _ in range(_WATCHERS):
            await loop.create_connection(lambda: _Stream(arrivals), "127.0.0.1", fleet.servers[0].port)
        await arrivals.all_open.wait()
        due = time.monotonic()
        for _ in range(options.changes):
            began = time.monotonic()
            await _put(session, f"{fleet.producer.url}/v1/stocks/S0", began)
            answered.append(time.monotonic() - began)
            due += _PAUSE_S
            await asyncio.sleep(max(0, due - time.monotonic()))
        await arrivals.all_there.wait()
    return {
        "watchers": _WATCHERS,
        "deliveries": len(arrivals.delays),
        "put_to_answer_ms": _percentiles(answered),
        "put_to_sse_ms": _percentiles(arrivals.delays),
    }


class Arrivals:
    """When changes arrived at the streams, as seconds after their PUT began."""

    def __init__(self, expected: int) -> None:
        self.delays: list[float] = []
        self.all_open, self.all_there = asyncio.Event(), asyncio.Event()
        self._expected = expected
        self._opened = 0

    def note(self, data: bytes) -> None:
        """Look for what a stream received: the driver must cost less than what it measures."""
        if b"event: synced" in data:
            self._opened += 1
            if self._opened == _WATCHERS:
                self.all_open.set()
        for piece in data.split(_MARK)[1:]:
            self.delays.append(time.monotonic() - float(piece[: piece.index(b"}")]))
        if len(self.delays) >= self._expected:
            self.all_there.set()


class _Stream(asyncio.Protocol):
    def __init__(self, arrivals: Arrivals) -> None:
        self._arrivals = arrivals

    def connection_made(self, transport: Any) -> None:
        transport.write(_STREAM % 0)

    def data_received(self, data: bytes) -> None:
        self._arrivals.note(data)


async def _put(session: aiohttp.ClientSession, url: str, began: float) -> None:
    body = b'{"sent":%.6f}' % began
    async with session.put(url, data=body, headers={"Content-Type": "application/json"}) as answer:
        answer.raise_for_status()


def _percentiles(figures: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(figures, n=100)
    return {"p50": round(cuts[49] * 1000, 2), "p99": round(cuts[98] * 1000, 2)}


MEASUREMENTS: Final[dict[str, Callable[[Broker, Path, Any], Awaitable[dict[str, Any]]]]] = {
    "boot": boot,
    "idle": idle,
    "latency": latency,
}


def _record(number: int) -> RawRecord:
    resource_id = f"S{number}"
    value = json.dumps({"symbol": resource_id, "price": 100 + number % 100, "note": "x" * 150}).encode()
    headers = encode_headers(resource_id, int(time.time() * 1000), {"type": "price.changed"}, collection="stocks")
    return RawRecord(resource_id.encode(), value, tuple(headers))


async def _open(server: Service, request: bytes, count: int) -> list[socket.socket]:
    """Open connections, each watching its own resource, until each was told `synced`."""
    loop = asyncio.get_running_loop()
    sockets = []
    for number in range(count):
        sock = socket.socket()
        sock.setblocking(False)  # noqa: FBT003 -- the standard library's signature
        await loop.sock_connect(sock, ("127.0.0.1", server.port))
        await loop.sock_sendall(sock, request % number)
        sockets.append(sock)
        await _read_until(sock, b'"synced"')
    return sockets


async def _read_until(sock: socket.socket, mark: bytes) -> None:
    loop, seen = asyncio.get_running_loop(), b""
    while mark not in seen:
        piece = await loop.sock_recv(sock, 65_536)
        if not piece:
            raise ConnectionError(seen)
        seen += piece


async def _close(sockets: list[socket.socket]) -> None:
    for sock in sockets:
        sock.close()


def _spread(figures: list[float]) -> dict[str, float]:
    return {
        "min": round(min(figures), 2),
        "median": round(statistics.median(figures), 2),
        "max": round(max(figures), 2),
    }


if __name__ == "__main__":
    uvloop.run(main())
