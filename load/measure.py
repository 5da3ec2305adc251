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
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import aiohttp

from shared.event import encode_headers
from tests.support.broker import Broker
from tests.support.broker_choice import choose_broker
from tests.support.fleet import Fleet, Service
from tests.support.records import RawRecord, produce

_COLLECTIONS: Final = {"stocks": {"partitions": 12, "modes": ["state"]}}
_WARM_UP: Final = 500
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
    """What an idle connection with one watch costs in resident memory."""
    figures: dict[str, Any] = {"connections": options.connections}
    async with Fleet(broker, folder, _COLLECTIONS, servers=0) as fleet:
        records = [_record(number) for number in range(options.connections)]
        await produce(broker.bootstrap, fleet.topic("stocks"), records)
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
    """From the start of a PUT to its arrival at each of 100 event streams, at 50 changes/s."""
    watchers, delays = 100, list[float]()
    async with Fleet(broker, folder, _COLLECTIONS, servers=1) as fleet, _session() as session:
        url = f"{fleet.servers[0].url}/v1/stocks/S0/stream"
        streams = [await session.get(url) for _ in range(watchers)]
        readers = [asyncio.create_task(_delays(stream, options.changes, delays)) for stream in streams]
        due = time.monotonic()
        for _ in range(options.changes):
            body = json.dumps({"sent": time.monotonic()})
            async with session.put(
                f"{fleet.producer.url}/v1/stocks/S0", data=body, headers={"Content-Type": "application/json"}
            ) as answer:
                answer.raise_for_status()
            due += 0.02
            await asyncio.sleep(max(0, due - time.monotonic()))
        await asyncio.gather(*readers)
    delays.sort()
    return {
        "watchers": watchers,
        "deliveries": len(delays),
        "put_to_sse_p50_ms": round(delays[len(delays) // 2] * 1000, 2),
        "put_to_sse_p99_ms": round(delays[len(delays) * 99 // 100] * 1000, 2),
    }


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
        sock.setblocking(False)
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


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=None))


async def _delays(stream: aiohttp.ClientResponse, changes: int, delays: list[float]) -> None:
    async for data in _data(stream):
        if data["event"] == "put":
            delays.append(time.monotonic() - data["data"]["sent"])
            changes -= 1
            if not changes:
                stream.close()
                return


async def _data(stream: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    async for line in stream.content:
        if line.startswith(b"data: "):
            yield json.loads(line[6:])


def _spread(figures: list[float]) -> dict[str, float]:
    return {
        "min": round(min(figures), 2),
        "median": round(statistics.median(figures), 2),
        "max": round(max(figures), 2),
    }


if __name__ == "__main__":
    asyncio.run(main())
