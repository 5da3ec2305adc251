"""Frames for a person, or for a program."""

import errno
import json
import os
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from cli.watching.arrival import Trouble

_CHANGES: Final = frozenset({"put", "delete"})
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class _Pipe(Console):
    """Leaves it to the command what to do when nobody reads any more, instead of raising SystemExit."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


class Printer:
    """Changes go to stdout, as one line each; everything else to stderr. Raises BrokenPipeError."""

    def __init__(self, *, json_lines: bool) -> None:
        self._out = _Pipe(highlight=False, soft_wrap=True)
        self._aside = Console(highlight=False, soft_wrap=True, stderr=True)
        self._print: Callable[[str, Mapping[str, Any]], None] = self._print_json if json_lines else self._print_line
        self._quiet = json_lines
        self._told = ""

    def frame(self, text: str, frame: Mapping[str, Any]) -> None:
        """Print what a frame says, if a reader wants to know it."""
        self._told = ""
        event = frame.get("event")
        if event in _CHANGES:
            self._print(text, frame)
        elif event == "reset":
            self.aside(f"{frame['watch']}: begins again from the state now ({frame['reason']})", "yellow")
        elif event == "synced" and not self._quiet:
            self.aside(f"{frame['watch']}: {'resumed' if frame['resumed'] else 'up to date'}, watching", "dim")
        elif event == "bookmark" and frame["skipped"]:
            self.aside(f"{frame['skipped']} changes were left out, as newer ones came before they could be sent", "dim")

    def trouble(self, trouble: Trouble) -> None:
        """Print why a connection has ended; the same reason again and again is printed once."""
        if self._told != str(trouble):
            self._told = str(trouble)
            self.aside(f"{trouble}; trying again", "yellow")

    def aside(self, text: str, style: str) -> None:
        """Print a line that isn't a change."""
        self._aside.print(Text(printable(text), style=style))

    def _print_json(self, text: str, frame: Mapping[str, Any]) -> None:
        del frame
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def _print_line(self, text: str, frame: Mapping[str, Any]) -> None:
        del text
        self._out.print(one_line(frame))


def one_line(frame: Mapping[str, Any]) -> Text:
    """A `put` or `delete` as `time resource version data`."""
    line = Text()
    if time := frame.get("time"):
        line.append(f"{time} ", "dim")
    line.append(printable(frame["resource"]), "bold red" if frame["event"] == "delete" else "bold green")
    line.append(f" {frame['version']} ", "dim")
    if frame["event"] == "delete":
        return line.append("deleted", "red")
    return line.append(printable(json.dumps(frame["data"], ensure_ascii=False)))


def printable(text: str) -> str:
    """The text with control characters written as escapes: names and data are anybody's, and a terminal obeys them."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
