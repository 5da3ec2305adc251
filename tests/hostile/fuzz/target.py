"""What is fuzzed, and how a run of it is judged: only the declared refusals, soon, and in bounded memory."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any, Final, NamedTuple, Protocol

SLOWEST_S: Final = 1.0
"""Of the processor's time, for one input."""
HANG_S: Final = 10.0
"""Of the processor's time: then it is stopped."""
GROWTH_BYTES: Final = 64 * 1024 * 1024
"""Above what the process had after the first tenth of a run: caches are full by then."""
MOST_FAILURES: Final = 10
"""Of one target: more of them tell nothing more."""
_EARLY: Final = 0.1
_SHOWN_CHARS: Final = 4000


class Target(Protocol):
    """Something that takes inputs of strangers."""

    name: str

    def make(self, random: Random) -> Any:
        """One input; the same random numbers give the same one."""
        ...

    def run(self, data: Any) -> bool:
        """Whether it was accepted; a declared refusal is False, everything else an exception."""
        ...


class Row(NamedTuple):
    """One line of the table; `failures` say how to see each crash again."""

    target: str
    inputs: int
    seconds: float
    accepted: int
    slowest_s: float
    grown_bytes: int
    failures: tuple[str, ...] = ()

    def __str__(self) -> str:
        return (
            f"{self.target:<15} {self.inputs:>9} {self.seconds:>8.1f} {self.accepted:>9} {len(self.failures):>8} "
            f"{self.slowest_s * 1000:>11.1f} {self.grown_bytes / 2**20:>11.1f}"
        )


HEADING: Final = (
    f"{'target':<15} {'inputs':>9} {'seconds':>8} {'accepted':>9} {'crashes':>8} {'slowest, ms':>11}"
    f" {'growth, MiB':>11}"
)


class Hang(Exception):
    """One input took too long."""


class Memory:
    """How much a process grows after the first tenth of a run: by then its caches are full."""

    def __init__(self, pid: int | str = "self") -> None:
        self._pid = pid
        self._early_bytes = 0

    def look(self, done: float) -> None:
        """Note what it has, once `done` is a tenth of the run or more."""
        if not self._early_bytes and done >= _EARLY:
            self._early_bytes = rss_bytes(self._pid)

    def grown_bytes(self) -> int:
        """What it has now beyond that."""
        return rss_bytes(self._pid) - (self._early_bytes or rss_bytes(self._pid))


def play(target: Target, *, seed: int, inputs: int, seconds: float = 3600.0, slowest_s: float = SLOWEST_S) -> Row:
    """Try so many inputs, or for so long, or until ten have failed. Must be called from the main thread."""
    began, accepted, took_most_s, number, memory = time.monotonic(), 0, 0.0, 0, Memory()
    failures: list[str] = []
    with _no_hang():
        for number in range(1, inputs + 1):
            data = target.make(Random(f"{seed}/{target.name}/{number}"))
            taken, took_s, why = _tried(target, data, slowest_s)
            accepted, took_most_s = accepted + taken, max(took_most_s, took_s)
            failures += [failure(target.name, seed, number, why, data)] if why else []
            elapsed_s = time.monotonic() - began
            memory.look(max(number / inputs, elapsed_s / seconds))
            if elapsed_s >= seconds or len(failures) >= MOST_FAILURES:
                break
    grown_bytes = memory.grown_bytes()
    failures += grown_too_much(target.name, seed, grown_bytes)
    return Row(target.name, number, time.monotonic() - began, accepted, took_most_s, grown_bytes, tuple(failures))


def failure(target: str, seed: int, number: int, why: str, data: object) -> str:
    """How to see it again."""
    return f"{target}, seed {seed}, input {number}: {why}\n{repr(data)[:_SHOWN_CHARS]}"


def grown_too_much(target: str, seed: int, grown_bytes: int) -> list[str]:
    """The failure that this is, if it is one."""
    if grown_bytes <= GROWTH_BYTES:
        return []
    return [f"{target}, seed {seed}, all inputs: memory grew by {grown_bytes} bytes"]


def _tried(target: Target, data: object, slowest_s: float) -> tuple[bool, float, str]:
    """Whether it was accepted, how long it took, and what is wrong with that."""
    signal.setitimer(signal.ITIMER_VIRTUAL, HANG_S)
    began = time.thread_time()
    try:
        taken = target.run(data)
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is what this looks for
        return False, time.thread_time() - began, repr(error)
    took_s = time.thread_time() - began
    return taken, took_s, f"it took {took_s:.2f} s" if took_s > slowest_s else ""


@contextmanager
def _no_hang() -> Iterator[None]:
    def hang(_: int, __: FrameType | None) -> None:
        raise Hang(f"more than {HANG_S:g} s")

    before = signal.signal(signal.SIGVTALRM, hang)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def rss_bytes(pid: int | str = "self") -> int:
    """The memory that a process has now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
