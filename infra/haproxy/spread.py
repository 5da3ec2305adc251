"""How evenly HAProxy spreads clients over servers, and how many come back to theirs: the table of ADR 0013.

    python infra/haproxy/spread.py [CLIENTS]

Real HAProxy, three servers that only hold connections open, each client at a source address of its own (127/8), which
Linux allows. Half of all watches go to few resources: popularity is Zipf's, exponent 1, over 1 000 resources.
"""

import asyncio
import random
import re
import resource
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

SERVERS: Final = 3
RESOURCES: Final = 1000
AT_ONCE: Final = 64
FRONT: Final = Path(__file__).parent / "haproxy.cfg"
BALANCES: Final = {
    "cookie": "balance hash src",
    "source hash": "balance hash src",
    "resource hash": "balance hash path",
    "none (leastconn)": "balance leastconn",
    "none (roundrobin)": "balance roundrobin",
}


def front_lines() -> list[str]:
    """How the front door hashes and gives cookies, but for what needs HTTPS."""
    text = FRONT.read_text()
    for name, default in re.findall(r"presetenv (\w+) (\S+)", text):
        text = text.replace(f"${{{name}}}", default)
    return re.findall(r"^    ((?:hash-|cookie |dynamic-cookie).*)", text, re.MULTILINE)


def ring_lines() -> list[str]:
    """What gives a server its place on the ring, where HAProxy is new enough."""
    return re.findall(r"^(\.if version_atleast.*?^\.endif)", FRONT.read_text(), re.MULTILINE | re.DOTALL)


def weight() -> str:
    """A push server's, and so its places on the ring."""
    (found,) = re.findall(r"default-server weight (\d+)", FRONT.read_text())
    return str(found)


def configuration(folder: Path, balance: str, port: int, servers: list[int]) -> str:
    """One listener with one way of choosing among the servers."""
    kept = [line for line in front_lines() if not line.startswith("hash") or "hash" in balance]
    lines = [
        *("global", f"stats socket {folder}/socket level admin", "maxconn 8000", "defaults", "mode http"),
        *("timeout connect 5s", "timeout client 5m", "timeout server 5m", "listen spread"),
        *(f"bind 127.0.0.1:{port}", balance, *kept, *ring_lines()),
        *(f"server s{number} 127.0.0.1:{each} weight {weight()}" for number, each in enumerate(servers)),
    ]
    return "\n".join(lines) + "\n"


class Client:
    """A watcher at an address of its own."""

    def __init__(self, number: int, path: str, *, keeps_cookies: bool) -> None:
        self.server = -1
        self._source = f"127.{1 + number // 62500}.{number // 250 % 250}.{1 + number % 250}"
        self._path = path
        self._keeps_cookies = keeps_cookies
        self._cookie = ""
        self._writer: asyncio.StreamWriter | None = None

    async def connect(self, port: int) -> int:
        """Watch; which server it is."""
        reader, self._writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(self._source, 0))
        cookie = f"Cookie: {self._cookie}\r\n" if self._cookie else ""
        self._writer.write(f"GET {self._path} HTTP/1.1\r\nHost: here\r\n{cookie}\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        if self._keeps_cookies and (given := re.search(r"(?i)^set-cookie: ([^;]+)", head, re.MULTILINE)):
            self._cookie = given[1]
        found = re.search(r"(?i)^x-server: (\d)", head, re.MULTILINE)
        if found is None:
            raise RuntimeError(head)
        self.server = int(found[1])
        return self.server

    def disconnect(self) -> None:
        """Drop the connection."""
        if self._writer is not None:
            self._writer.transport.abort()


async def hold(number: int) -> asyncio.Server:
    """A server that answers with its number, and keeps the connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Server: {number}\r\n\r\n".encode())
        await reader.read()
        writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", 0, backlog=4096)


async def connect_all(clients: list[Client], port: int) -> list[int]:
    """Connect them in a random order, some at once; the server of each."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def connect(client: Client) -> None:
        async with turn:
            await client.connect(port)

    await asyncio.gather(*(connect(client) for client in random.sample(clients, len(clients))))
    return [client.server for client in clients]


async def say(folder: Path, command: str) -> None:
    """A command of the runtime API."""
    reader, writer = await asyncio.open_unix_connection(folder / "socket")
    writer.write(command.encode() + b"\n")
    await reader.read()
    writer.close()


async def reconnect(clients: list[Client], port: int) -> list[int]:
    """All of them lose their connections, and come back."""
    for client in clients:
        client.disconnect()
    await asyncio.sleep(1)
    return await connect_all(clients, port)


def uneven(servers: list[int], among: int = SERVERS) -> str:
    """The fullest server, as a multiple of the even share."""
    return f"{max(Counter(servers).values()) * among / len(servers):.2f}"


def moved(before: list[int], after: list[int], gone: int = -1) -> str:
    """How many of those whose server is there came to another one."""
    stay = [(was, is_) for was, is_ in zip(before, after, strict=True) if was != gone]
    return f"{100 * sum(was != is_ for was, is_ in stay) / len(stay):.0f} %"


async def measure(name: str, clients: list[Client], port: int, folder: Path) -> list[str]:
    """One row: the spread, a reconnect of all, one with a server gone, one with it back."""
    first = await connect_all(clients, port)
    again = await reconnect(clients, port)
    await say(folder, "set server spread/s2 state maint")
    without = await reconnect(clients, port)
    await say(folder, "set server spread/s2 state ready")
    back = await reconnect(clients, port)
    for client in clients:
        client.disconnect()
    return [
        *(name, uneven(first), moved(first, again), moved(again, without, 2)),
        *(uneven(without, SERVERS - 1), moved(without, back), uneven(back)),
    ]


async def row(name: str, balance: str, count: int) -> list[str]:
    """Run HAProxy with one way of choosing, and measure it."""
    weights = [1 / rank for rank in range(1, RESOURCES + 1)]
    paths = random.choices([f"/v1/items/{number}" for number in range(RESOURCES)], weights, k=count)  # noqa: S311 -- a choice, no secret
    clients = [Client(number, path, keeps_cookies=name == "cookie") for number, path in enumerate(paths)]
    held = [await hold(number) for number in range(SERVERS)]
    port = await free_port()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        written = folder / "spread.cfg"
        ports = [server.sockets[0].getsockname()[1] for server in held]
        await asyncio.to_thread(written.write_text, configuration(folder, balance, port, ports))
        haproxy = await asyncio.create_subprocess_exec("haproxy", "-db", "-q", "-f", str(written))
        try:
            await listening(port)
            return await measure(name, clients, port, folder)
        finally:
            if haproxy.returncode is None:
                haproxy.kill()
            await haproxy.wait()
            for server in held:
                server.close()


async def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    return port


async def listening(port: int) -> None:
    """Return when something listens there; TimeoutError when nothing does within five seconds."""
    async with asyncio.timeout(5):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return


def print_row(cells: list[str] | Mapping[str, str]) -> None:
    """A line of a Markdown table."""
    print("| " + " | ".join(cells) + " |")


def main() -> None:
    """Print the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    random.seed(5)
    print_row(["by", "fullest", "moved", "moved, one gone", "fullest", "moved, it is back", "fullest"])
    print_row(["---"] * 7)
    for name, balance in BALANCES.items():
        print_row(asyncio.run(row(name, balance, count)))


if __name__ == "__main__":
    main()
