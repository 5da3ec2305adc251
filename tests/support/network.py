"""A network between this machine and a client that can be cut: a namespace of the kernel, and a cable to it.

Needs root and the command `ip` (Debian's `iproute2`).
"""

import asyncio
import ctypes
import os
import secrets
import shutil
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Self

_CLONE_NEWNET: Final = 0x40000000
_NETWORKS: Final = 1 << 15


class NoNetwork(AssertionError):
    """This machine doesn't let the test make a network."""


class Network:
    """A context manager; `host` is this machine's address in it, and `connect` makes the client's sockets."""

    def __init__(self) -> None:
        # Of the addresses for measurements (RFC 2544) four, so that runs side by side are in different networks.
        number = secrets.randbelow(_NETWORKS)
        prefix = f"198.{18 + (number >> 14)}.{(number >> 6) & 255}"
        self.host = f"{prefix}.{(number & 63) * 4 + 1}"
        self.there = f"{prefix}.{(number & 63) * 4 + 2}"
        self.name = f"wr{secrets.token_hex(4)}"
        self._here, self._far = f"{self.name}a", f"{self.name}b"
        self._thread = ThreadPoolExecutor(1)
        self._inside = False

    def __enter__(self) -> Self:
        try:
            self._make()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()
        # The namespace lives on until the kernel has given up what the client's sockets still had to say.
        for what in (("link", "delete", self._here), ("netns", "delete", self.name)):
            subprocess.run(["ip", *what], check=False, capture_output=True)

    async def connect(self, port: int, *, buffer_bytes: int = 0) -> socket.socket:
        """A client's connection to a port of this machine, not blocking; `buffer_bytes` makes its memory small."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._connect, port, buffer_bytes)

    def cut(self) -> None:
        """Pull the cable out: nothing arrives any more, and nobody is told."""
        _ip("-n", self.name, "link", "set", self._far, "down")

    def mend(self) -> None:
        """Plug it in again."""
        _ip("-n", self.name, "link", "set", self._far, "up")

    def _make(self) -> None:
        if shutil.which("ip") is None:
            raise NoNetwork("the command `ip` is missing (Debian's package iproute2)")
        try:
            _ip("netns", "add", self.name)
        except subprocess.CalledProcessError as refused:
            raise NoNetwork(f"making a network needs root: {refused.stderr.strip()}") from None
        _ip("link", "add", self._here, "type", "veth", "peer", "name", self._far, "netns", self.name)
        _ip("addr", "add", f"{self.host}/30", "dev", self._here)
        _ip("link", "set", self._here, "up")
        _ip("-n", self.name, "addr", "add", f"{self.there}/30", "dev", self._far)
        _ip("-n", self.name, "link", "set", self._far, "up")
        # Far away, a router would answer in place of the client: this machine never asks for its address.
        address = Path(f"/sys/class/net/{self._here}/address").read_text().strip()
        far = _ip("netns", "exec", self.name, "cat", f"/sys/class/net/{self._far}/address").strip()
        _ip("neigh", "replace", self.there, "lladdr", far, "dev", self._here, "nud", "permanent")
        _ip("-n", self.name, "neigh", "replace", self.host, "lladdr", address, "dev", self._far, "nud", "permanent")

    def _connect(self, port: int, buffer_bytes: int) -> socket.socket:
        """Runs in a thread of its own, which stays in the namespace; so do the sockets that it makes."""
        if not self._inside:
            _enter(self.name)
            self._inside = True
        client = socket.socket()
        client.settimeout(5)
        if buffer_bytes:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        client.connect((self.host, port))
        client.setblocking(False)  # noqa: FBT003 -- the only way to say it
        return client


def _ip(*arguments: str) -> str:
    return subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True).stdout


def _enter(name: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    namespace = os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        if libc.setns(namespace, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(namespace)
