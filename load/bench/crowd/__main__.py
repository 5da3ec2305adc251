"""The process of the subscribers: `{"id":1,"do":"open","group":"a",…}` in, `{"id":1,…}` out, one a line."""

import gc
import json
import sys
import traceback
from typing import Final

from load.bench.crowd.crowd import Crowd, read_lines
from load.bench.crowd.task import TASKS, Task

_STDIN: Final = 0
_LONGEST_WAIT_S: Final = 0.02
_PROBING_WAIT_S: Final = 0.001


def main() -> None:
    """Run until standard input ends."""
    # Nothing here makes cycles; a collection would look like a pause of the server.
    gc.disable()
    crowd = Crowd()
    crowd.listen(_STDIN)
    tasks: dict[int, Task] = {}
    rest = b""
    while True:
        told = list(crowd.turn(_PROBING_WAIT_S if crowd.probers else _LONGEST_WAIT_S))
        for prober in crowd.probers:
            prober.ping()
        if told:
            try:
                lines, rest = read_lines(_STDIN, rest)
            except EOFError:
                return
            for line in lines:
                _take(crowd, tasks, line)
        _advance(tasks)


def _take(crowd: Crowd, tasks: dict[int, Task], line: bytes) -> None:
    asked = json.loads(line)
    number, name, group = asked.pop("id"), asked.pop("do"), crowd.group(asked.pop("group"))
    tasks[number] = TASKS[name](crowd, group, asked)


def _advance(tasks: dict[int, Task]) -> None:
    for number, task in list(tasks.items()):
        try:
            answer = task.advance()
        except OSError:
            # A connection that could not be made is the driver's to know; anything else ends the process.
            answer = {"failed": traceback.format_exc(limit=3)}
        if answer is not None:
            del tasks[number]
            sys.stdout.write(json.dumps({"id": number, **answer}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
