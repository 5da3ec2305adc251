"""What can be chosen beside locust's own options; each can be given as `LOCUST_...` in the environment, too."""

from argparse import ArgumentTypeError, Namespace
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, Protocol, Self

from load.users.course import SHAPES


class Parser(Protocol):
    """What is needed of locust's parser."""

    def add_argument(self, *flags: str, **settings: Any) -> object:
        """As argparse has it, with `env_var` for the variable that stands for the option."""


@dataclass(frozen=True)
class Options:
    """The options of this load test; times are in seconds."""

    shape: str = "steady"
    settle: float = 5.0
    collection: str = "playground"
    resources: int = 100
    zipf: float = 1.0
    scope: str = "resource"
    mode: str = "state"
    payload: int = 200
    rate: float = 20.0
    publishers: int = 1
    think: float = 1.0
    life: float = 0.0
    come_back: str = "cursor"
    backoff: float = 30.0
    cookies: str = "keep"
    sources: int = 0
    ca: str = ""
    server_name: str = ""
    restart_command: str = ""
    picture: str = ""
    samples: str = ""

    @classmethod
    def of(cls, parsed: Namespace | None) -> Self:
        """Our part of what locust has parsed."""
        given = vars(parsed) if parsed else {}
        return cls(**{field.name: given[field.name] for field in fields(cls) if field.name in given})


def _at_least(least: float, kind: Callable[[str], float]) -> Callable[[str], float]:
    """A type of argument: a number that is not below `least`."""

    def checked(text: str) -> float:
        number = kind(text)
        if number < least:
            raise ArgumentTypeError(f"{text} is below {least}")
        return number

    checked.__name__ = "number"
    return checked


def _file(text: str) -> str:
    """A type of argument: a file that is there, or nothing."""
    if text and not Path(text).is_file():
        raise ArgumentTypeError(f"there is no file {text}")
    return text


_COUNT: Final = _at_least(1, int)
_SECONDS: Final = _at_least(0, float)
_ARGUMENTS: Final[dict[str, dict[str, Any]]] = {
    "shape": {"choices": SHAPES, "help": "how the number of users goes over --run-time"},
    "settle": {
        "type": _SECONDS,
        "help": "the last seconds, without changes: then everybody must have the newest state",
    },
    "collection": {"help": "the collection that is written and watched"},
    "resources": {"type": _COUNT, "help": "how many resources of it"},
    "zipf": {"type": _SECONDS, "help": "resource n is chosen with a weight of 1/n^this; 0: all alike"},
    "scope": {"choices": ("resource", "collection"), "help": "what a watcher watches; a short poll has one resource"},
    "mode": {"choices": ("state", "log"), "help": "of the watches; in log mode every gap is a loss"},
    "payload": {"type": _at_least(0, int), "help": "bytes of a value"},
    "rate": {"type": _SECONDS, "help": "changes a second, of all publishers together, at random moments"},
    "publishers": {"type": _at_least(0, int), "help": "how many publish, beside --users watchers"},
    "think": {"type": _SECONDS, "help": "mean pause of a short poll between an answer and the next question"},
    "life": {"type": _SECONDS, "help": "mean age at which a watcher hangs up and comes back; 0: it stays"},
    "come-back": {"choices": ("cursor", "anew"), "help": "whether whoever comes back shows a cursor"},
    "backoff": {"type": _SECONDS, "help": "the longest pause before another try, where the server asks for none"},
    "cookies": {"choices": ("keep", "drop"), "help": "whether a watcher keeps the front door's cookie"},
    "sources": {"type": _at_least(0, int), "help": "connect from so many addresses 127.1.x.y; loopback on Linux only"},
    "ca": {"type": _file, "help": "PEM file of the certificate authority to trust, in place of the system's"},
    "server-name": {"help": "the name that the certificate is for, where it is not the one in --host"},
    "restart-command": {"help": "what the shape `restart` runs, once, in the process that has the shape"},
    "picture": {"help": "SVG file to draw the test into"},
    "samples": {"help": "CSV file for the figures of the picture"},
}


def add_arguments(parser: Parser) -> None:
    """Tell the parser of every option."""
    defaults = Options()
    for name, settings in _ARGUMENTS.items():
        default = getattr(defaults, name.replace("-", "_"))
        text = f"{settings['help']} (default: {default})" if default not in {"", 0} else settings["help"]
        variable = f"LOCUST_{name.replace('-', '_').upper()}"
        parser.add_argument(f"--{name}", **{**settings, "help": text, "default": default, "env_var": variable})
