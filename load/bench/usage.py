"""What a process has used, as its kernel counts it (Linux, `/proc`)."""

import os
import time
from pathlib import Path
from typing import Final, NamedTuple

from load.bench.cores import SERVER_CORE, busy_s

_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_FORGET_PEAK: Final = "5"


class Usage(NamedTuple):
    """Totals of a process (CPU, write calls) and of the machine (`all_cores_s`, `server_core_s`) at a moment."""

    at_s: float
    cpu_s: float
    waited_s: float
    write_calls: int
    all_cores_s: float
    server_core_s: float


def usage_of(pid: int) -> Usage:
    """Where a process stands now; `waited_s` is how long it was ready to run while others had the core."""
    cpu_s, waited_s = _scheduled(pid)
    cores = busy_s()
    return Usage(time.monotonic(), cpu_s, waited_s, _write_calls(pid), sum(cores.values()), cores[SERVER_CORE])


def rss_bytes(pid: int) -> int:
    """Its resident memory, counted page by page where the kernel tells."""
    try:
        return _kilobytes(Path(f"/proc/{pid}/smaps_rollup").read_text(), "Rss:")
    except OSError:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE


def forget_peak(pid: int) -> None:
    """Let `peak_rss_bytes` begin anew."""
    Path(f"/proc/{pid}/clear_refs").write_text(_FORGET_PEAK)


def peak_rss_bytes(pid: int) -> int:
    """The most resident memory that it had since `forget_peak`: costs the process nothing meanwhile."""
    return _kilobytes(Path(f"/proc/{pid}/status").read_text(), "VmHWM:")


def read_bytes(pid: int) -> int:
    """What it has read so far, by the system calls that the kernel counts: files, and sockets in uvloop."""
    text = Path(f"/proc/{pid}/io").read_text()
    return int(text[text.index("rchar:") + 6 :].split(None, 1)[0])


def _kilobytes(text: str, name: str) -> int:
    return int(text[text.index(name) + len(name) :].split(None, 1)[0]) * 1024


def _scheduled(pid: int) -> tuple[float, float]:
    """CPU and waiting time in seconds: of every thread, to the nanosecond, where the kernel was built to tell."""
    try:
        threads = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/schedstat")]
        return sum(int(ran) for ran, _, _ in threads) / 1e9, sum(int(waited) for _, waited, _ in threads) / 1e9
    except (OSError, ValueError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS, 0.0


def _write_calls(pid: int) -> int:
    """System calls that write, sockets included (but not by `send`, which the kernel doesn't count here)."""
    try:
        text = Path(f"/proc/{pid}/io").read_text()
    except OSError:
        return 0
    return int(text[text.index("syscw:") + 6 :].split(None, 1)[0])
