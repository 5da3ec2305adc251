"""Which core is whose: the server (and the floor) has one alone, the subscribers another."""

import os
import resource
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_STAT: Final = Path("/proc/stat")
_AVAILABLE: Final = sorted(os.sched_getaffinity(0))
SERVER_CORE: Final = _AVAILABLE[0]
READERS_CORE: Final = _AVAILABLE[min(1, len(_AVAILABLE) - 1)]
SHARED: Final = len(_AVAILABLE) == 1
"""On a single core everything is slower, and the ratios are too high."""


def pin(pid: int, core: int) -> None:
    """Let a process that has only just been started, and has one thread yet, run on that core only."""
    os.sched_setaffinity(pid, {core})


def raise_file_limit() -> int:
    """As many open files as this process and its children may have at all; returns how many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def busy_s() -> Mapping[int, float]:
    """How long each core has been busy since the machine was started, by whatever."""
    ticks = os.sysconf("SC_CLK_TCK")
    lines = [line.split() for line in _STAT.read_text().splitlines() if line.startswith("cpu")]
    # user nice system idle iowait irq softirq: all but the two in which it has nothing to do.
    return {
        int(fields[0][3:]): (sum(map(int, fields[1:8])) - int(fields[4]) - int(fields[5])) / ticks
        for fields in lines[1:]
    }
