"""A live service and the bytes of strangers: sixty-four connections at once, each with several inputs."""

import asyncio
import itertools
import time
from collections.abc import Callable, Iterable
from random import Random
from typing import Final, NamedTuple, Protocol

from infra.cluster.process import HOST
from infra.cluster.service import Service
from tests.hostile.fuzz.place import Place, opened
from tests.hostile.fuzz.target import MOST_FAILURES, Memory, Row, failure, grown_too_much

AT_ONCE: Final = 64
_TOGETHER: Final = 8
"""Inputs of one connection, as long as none of them ends it."""
_PATIENCE_S: Final = 0.3
"""Then a stranger that announced more than it says hangs up."""
_HANG_S: Final = 20.0
"""From there: the server hasn't hung up."""


class Judged(NamedTuple):
    """How many of the inputs of a connection the server took up, and how many of these it accepted."""

    inputs: int
    accepted: int


class LiveTarget(Protocol):
    """What is said to a service, and what its answer may be."""

    name: str

    def service(self, place: Place) -> Service:
        """Who is spoken to."""
        ...

    def make(self, random: Random) -> bytes:
        """One input."""
        ...

    def script(self, inputs: list[bytes]) -> bytes:
        """All that is said on one connection."""
        ...

    def over(self, said: bytes) -> bool:
        """Whether the service waits for the client to hang up."""
        ...

    def judge(self, inputs: list[bytes], said: bytes) -> Judged:
        """Read what the service said, to the last whole answer of it; AssertionError for what it must not say."""
        ...


class Run:
    """One target's run."""

    def __init__(self, target: LiveTarget, place: Place, *, seed: int, inputs: int, seconds: float) -> None:
        self._target = target
        self._service = target.service(place)
        self._place = place
        self._seed, self._wanted, self._seconds = seed, inputs, seconds
        self._numbers = itertools.count(1, _TOGETHER)
        self._memory = Memory(self._service.process.pid)
        self._began = time.monotonic()
        self._inputs = self._accepted = 0
        self._slowest_s = 0.0
        self._failures: list[str] = []

    async def play(self) -> Row:
        """All of it."""
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._strangers())
        elapsed_s = time.monotonic() - self._began
        try:
            await self._place.serves_on()
        except (AssertionError, OSError, TimeoutError) as error:
            self._failures.append(f"{self._target.name}, seed {self._seed}: it doesn't serve on: {error!r}")
        trouble = self._place.trouble(self._service)
        self._failures += [f"{self._target.name}, seed {self._seed}: {trouble}"] if trouble else []
        grown_bytes = self._memory.grown_bytes() if self._service.running else 0
        self._failures += grown_too_much(self._target.name, self._seed, grown_bytes)
        return Row(
            self._target.name,
            self._inputs,
            elapsed_s,
            self._accepted,
            self._slowest_s,
            grown_bytes,
            tuple(self._failures),
        )

    async def _strangers(self) -> None:
        while self._done() < 1 and len(self._failures) < MOST_FAILURES and self._service.running:
            first = next(self._numbers)
            numbers = range(first, first + _TOGETHER)
            inputs = [self._target.make(Random(f"{self._seed}/{self._target.name}/{number}")) for number in numbers]
            began = time.monotonic()
            try:
                said = await conversation(self._service.port, self._target.script(inputs), self._target.over)
                judged = self._target.judge(inputs, said)
            except Exception as error:  # noqa: BLE001 -- whatever it is, it is what this looks for
                self._failures.append(failure(self._target.name, self._seed, first, repr(error), inputs))
                continue
            self._inputs += judged.inputs
            self._accepted += judged.accepted
            self._slowest_s = max(self._slowest_s, time.monotonic() - began)
            self._memory.look(self._done())

    def _done(self) -> float:
        return max(self._inputs / self._wanted, (time.monotonic() - self._began) / self._seconds)


async def play_live(
    targets: Iterable[tuple[type[LiveTarget], int]], *, seed: int, seconds: float, show: Callable[[Row], None]
) -> None:
    """Try each of the targets with so many inputs, or for so long."""
    async with opened() as place:
        for make, inputs in targets:
            show(await Run(make(), place, seed=seed, inputs=inputs, seconds=seconds).play())


async def conversation(port: int, script: bytes, over: Callable[[bytes], bool]) -> bytes:
    """All that a server says until one of both hangs up, the client when it has no more to say."""
    reader, writer = await asyncio.open_connection(HOST, port)
    said = bytearray()
    try:
        writer.write(script)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await _read(reader, said, over)
        except TimeoutError:
            writer.write_eof()
            async with asyncio.timeout(_HANG_S):
                await _read(reader, said, over)
    except (ConnectionResetError, BrokenPipeError):
        # It hung up with bytes of ours unread; what it said before may be lost.
        pass
    finally:
        writer.close()
    return bytes(said)


async def _read(reader: asyncio.StreamReader, said: bytearray, over: Callable[[bytes], bool]) -> None:
    while piece := await reader.read(65_536):
        said += piece
        if over(bytes(said)):
            return
