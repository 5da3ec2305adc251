"""Changes as lines, for a person or for a program."""

import errno
import json
import os
import sys
from collections.abc import Callable

from rich.console import Console
from rich.text import Text

from cli.terminal import compact, printable
from watchroute_client import Change, State, Status


class _Pipe(Console):
    """Leaves it to the command what to do when nobody reads any more, instead of raising SystemExit."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


class Printer:
    """Changes go to stdout, as one line each; everything else to stderr. Raises BrokenPipeError."""

    def __init__(self, *, json_lines: bool) -> None:
        self._out = _Pipe(highlight=False, soft_wrap=True)
        self._aside = Console(highlight=False, soft_wrap=True, stderr=True)
        self._print: Callable[[Change], None] = _print_json if json_lines else self._print_line
        self._quiet = json_lines
        self._told = ""

    def change(self, path: str, change: Change) -> None:
        """Print what the watch of a path has told, if a reader wants to know it."""
        self._told = ""
        if change.event in {"put", "delete"}:
            self._print(change)
        elif change.event == "reset":
            self.aside(f"{path}: begins again from the state now ({change.reason})", "yellow")
        elif change.event == "synced" and not self._quiet:
            self.aside(f"{path}: {'resumed' if change.resumed else 'up to date'}, watching", "dim")

    def status(self, status: Status) -> None:
        """Print why a connection has ended; the same reason again and again is printed once."""
        if status.state is State.OFFLINE and status.reason and self._told != status.reason:
            self._told = status.reason
            self.aside(f"{status.reason}; trying again", "yellow")

    def aside(self, text: str, style: str) -> None:
        """Print a line that isn't a change."""
        self._aside.print(Text(printable(text), style=style))

    def _print_line(self, change: Change) -> None:
        self._out.print(one_line(change))


def _print_json(change: Change) -> None:
    sys.stdout.write(json_line(change) + "\n")
    sys.stdout.flush()


def json_line(change: Change) -> str:
    """A `put` or `delete` as the frame that the server sent, or would have sent."""
    told = {"event": change.event, "resource": change.resource, "version": str(change.version)}
    return compact(change.frame or told)


def one_line(change: Change) -> Text:
    """A `put` or `delete` as `time resource version data`."""
    line = Text()
    if change.time:
        line.append(f"{change.time} ", "dim")
    line.append(printable(change.resource), "bold red" if change.event == "delete" else "bold green")
    line.append(f" {change.version} ", "dim")
    if change.event == "delete":
        return line.append("deleted", "red")
    return line.append(printable(json.dumps(change.data, ensure_ascii=False)))
