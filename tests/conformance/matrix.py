"""The cases that every guarantee is shown for: transports, kinds of watch, modes."""

from dataclasses import dataclass
from typing import Final

import pytest
from _pytest.mark.structures import ParameterSet

STREAMS: Final = ("websocket", "websocket_msgpack", "websocket_url", "sse")
WATCHES: Final = (*STREAMS, "longpoll")
KINDS: Final = ("resource", "collection", "prefix")
MODES: Final = ("state", "log")


@dataclass(frozen=True)
class Case:
    """One way to watch; short poll knows the state only."""

    transport: str
    kind: str
    mode: str

    def __str__(self) -> str:
        return f"{self.transport}-{self.kind}-{self.mode}"


def cases(
    transports: tuple[str, ...] = (*WATCHES, "shortpoll"),
    kinds: tuple[str, ...] = KINDS,
    modes: tuple[str, ...] = MODES,
) -> list[ParameterSet]:
    """The product, as parameters named for the test report."""
    product = [Case(transport, kind, mode) for transport in transports for kind in kinds for mode in modes]
    return [pytest.param(case, id=str(case)) for case in product if (case.transport, case.mode) != ("shortpoll", "log")]
