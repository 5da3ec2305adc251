"""Reload HAProxy, and send those whom its old process still serves away one after another.

    python infra/haproxy/reload.py MASTER_SOCKET [--over SECONDS]

MASTER_SOCKET is what `haproxy -W -S MASTER_SOCKET` listens at. The new process takes whoever comes. Push servers send
those of the old one away once they have noticed that it checks no more; this begins at once: their connections are
closed at an even rate, in no order, and each resumes with its cursor. SECONDS, 20, must be below FRONT_HARD_STOP_AFTER.
Exit status 1: the configuration or the certificate was refused, and nothing ended.
"""

import argparse
import contextlib
import random
import re
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

BACKEND: Final = "pushserver"
OVER_S: Final = 20.0
_RELOADED_WITHIN_S: Final = 30.0
_LOOK_EVERY_S: Final = 0.1
_ANSWERS_WITHIN_S: Final = 10.0
_FAILED: Final = re.compile(r"^\d+\s+master\s+.*\[failed: (\d+)\]", re.MULTILINE)
_WORKER: Final = re.compile(r"^(\d+)\s+worker\s", re.MULTILINE)
_SESSION: Final = re.compile(rf"^(0x[0-9a-f]+): .* be={BACKEND} ", re.MULTILINE)


class NotReloaded(Exception):
    """HAProxy refused its new configuration, or did not answer in time; the process that was there serves on."""


class Processes(NamedTuple):
    """What the master says of itself: failed reloads in a row, the worker that takes newcomers, and the old ones."""

    failed: int
    current: int | None
    old: tuple[int, ...]

    @classmethod
    def read(cls, text: str) -> "Processes":
        """Of the answer to `show proc`."""
        failed = _FAILED.search(text)
        new, _, old = text.partition("# old workers")
        current = _WORKER.search(new)
        return cls(
            int(failed[1]) if failed else 0,
            int(current[1]) if current else None,
            tuple(int(pid) for pid in _WORKER.findall(old)),
        )


class Master:
    """The command line of HAProxy's master process; each command has a connection of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def ask(self, command: str) -> str:
        """The whole answer; raises OSError while the master starts itself anew."""
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(_ANSWERS_WITHIN_S)
            asking.connect(str(self._path))
            asking.sendall(f"{command}\n".encode())
            asking.shutdown(socket.SHUT_WR)
            return b"".join(_pieces(asking)).decode()

    def processes(self) -> Processes:
        """Who there is."""
        return Processes.read(self.ask("show proc"))

    def sessions(self, worker: int) -> list[str]:
        """The watchers and requests that a worker brings to push servers."""
        return _SESSION.findall(self.ask(f"@!{worker} show sess"))

    def end(self, worker: int, session: str) -> None:
        """End one; nothing happens to one that has ended."""
        self.ask(f"@!{worker} shutdown session {session}")

    def reload(self) -> tuple[int, ...]:
        """Have a new worker take over; the old ones. Raises NotReloaded."""
        before = self.processes()
        # The master starts itself anew, and with it its connections end.
        with contextlib.suppress(OSError):
            self.ask("reload")
        give_up_at = time.monotonic() + _RELOADED_WITHIN_S
        while time.monotonic() < give_up_at:
            time.sleep(_LOOK_EVERY_S)
            try:
                now = self.processes()
            except OSError:
                continue
            if now.failed > before.failed:
                raise NotReloaded("HAProxy refused the configuration or the certificate; its log says why")
            if now.current not in {None, before.current}:
                return now.old
        raise NotReloaded(f"no new worker within {_RELOADED_WITHIN_S:g} s")


def send_away(master: Master, workers: tuple[int, ...], over_s: float) -> int:
    """End all sessions of these workers at an even rate; how many those were."""
    sessions = [(worker, session) for worker in workers for session in master.sessions(worker)]
    random.shuffle(sessions)
    began = time.monotonic()
    for number, (worker, session) in enumerate(sessions):
        master.end(worker, session)
        # By the clock: what a command takes would add up.
        time.sleep(max(0.0, began + (number + 1) * over_s / len(sessions) - time.monotonic()))
    return len(sessions)


def main() -> int:
    """Do as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("socket", type=Path, metavar="MASTER_SOCKET")
    parser.add_argument("--over", type=float, default=OVER_S, metavar="SECONDS")
    options = parser.parse_args()
    master = Master(options.socket)
    try:
        old = master.reload()
    except (NotReloaded, OSError) as reason:
        sys.stderr.write(f"not reloaded: {reason}\n")
        return 1
    print(f"reloaded; {send_away(master, old, options.over)} were sent away over {options.over:g} s")
    return 0


def _pieces(asking: socket.socket) -> Iterator[bytes]:
    while piece := asking.recv(65_536):
        yield piece


if __name__ == "__main__":
    sys.exit(main())
