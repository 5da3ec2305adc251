"""The floor where there is no C compiler: `floor.c` in Python, so its figures are higher and the ratios lower."""

import json
import socket
import sys
import time
from pathlib import Path
from typing import Final

from load.bench.specimen import now_ns

_LAST: Final = "éж".encode()
_STAMP_BYTES: Final = 19
_BACKLOG: Final = 4096


def main(mode: str, path: str, count: str, *rest: str) -> None:
    """Take the same arguments as `floor.c`, and say the same."""
    frame = bytearray(Path(path).read_bytes())
    with socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _say(str(listener.getsockname()[1]))
        cpu = time.process_time_ns()
        sockets = [_accept(listener, None if mode == "send" else frame) for _ in range(int(count))]
        if mode == "send":
            sys.stdin.readline()
            cpu = time.process_time_ns()
        began = now_ns()
        if mode == "send":
            _send_rounds(sockets, frame, *rest)
        _say(json.dumps({"cpu_ns": time.process_time_ns() - cpu, "began_ns": began}))
        # Its sockets stay open until the readers have had everything; then it is killed.
        sys.stdin.read()


def _accept(listener: socket.socket, answer: bytes | bytearray | None) -> socket.socket:
    sock, _ = listener.accept()
    if answer is not None:
        sock.recv(4096)
        sock.send(answer)
    return sock


def _send_rounds(sockets: list[socket.socket], frame: bytearray, *arguments: str) -> None:
    rounds, per_s, stamp, mark = (float(argument) for argument in arguments)
    sends = [sock.sendall for sock in sockets]
    due = time.monotonic()
    for number in range(int(rounds)):
        if per_s:
            time.sleep(max(0.0, due - time.monotonic()))
            due += 1 / per_s
        frame[int(stamp) : int(stamp) + _STAMP_BYTES] = b"%d" % now_ns()
        if number == rounds - 1:
            frame[int(mark) : int(mark) + len(_LAST)] = _LAST
        for send in sends:
            send(frame)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
