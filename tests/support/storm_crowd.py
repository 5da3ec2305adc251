"""A crowd that is connected before it says anything, and then speaks all at once: in a process of its own."""

import asyncio
import os
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Any, Final, Self

from load.bench.cores import READERS_CORE, pin, raise_file_limit
from load.bench.crowd.crowd import Crowd
from load.bench.crowd.reader import Reader
from load.bench.crowd.request import REQUESTS

_NICE: Final = 10
_TURN_S: Final = 0.02
_crowd: Crowd | None = None


class StormCrowd:
    """Connections of several kinds (`ws`, `sse`), each of which wants one target; an async context manager.

    It is on the readers' core, and lets everything else there go first.
    """

    def __init__(self, port: int, targets: Mapping[str, str], of_each: int) -> None:
        self._port = port
        self._targets = targets
        self._of_each = of_each
        self._process = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_begin)

    async def __aenter__(self) -> Self:
        await self._do(_connect, self._port, tuple(self._targets), self._of_each)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self._process.shutdown)

    async def speak(self) -> None:
        """Send every request; returns when the kernel has them."""
        await self._do(_speak, dict(self._targets))

    async def told(self, ends: int, within_s: float) -> Mapping[str, Mapping[str, Any]]:
        """Read until each has seen so many last values, one is lost or the time is over; the status of each kind."""
        statuses: Mapping[str, Mapping[str, Any]] = await self._do(
            _read, tuple(self._targets), ends * self._of_each, within_s
        )
        return statuses

    async def _do(self, what: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._process, partial(what, *arguments))


def _begin() -> None:
    global _crowd  # noqa: PLW0603 -- what a process has one of
    pin(os.getpid(), READERS_CORE)
    os.nice(_NICE)
    raise_file_limit()
    _crowd = Crowd()


def _here() -> Crowd:
    assert _crowd is not None
    return _crowd


def _connect(port: int, kinds: tuple[str, ...], of_each: int) -> None:
    for kind in kinds:
        group = _here().group(kind)
        for _ in range(of_each):
            _here().connect(port, b"", group, lambda sock, group=group: Reader(sock, group, None))  # type: ignore[misc]


def _speak(targets: Mapping[str, str]) -> None:
    for kind, target in targets.items():
        request = REQUESTS[kind](target)
        for reader in _here().group(kind).readers:
            reader.sock.sendall(request)


def _read(kinds: tuple[str, ...], ends: int, within_s: float) -> Mapping[str, Mapping[str, Any]]:
    groups = {kind: _here().group(kind) for kind in kinds}
    give_up_at = time.monotonic() + within_s
    while time.monotonic() < give_up_at and not any(group.losses for group in groups.values()):
        if all(group.ended >= ends for group in groups.values()):
            break
        for _ in _here().turn(_TURN_S):
            pass
    statuses = {kind: group.status() for kind, group in groups.items()}
    for kind in kinds:
        _here().close(kind)
    return statuses
