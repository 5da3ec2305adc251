"""Who takes a connection over when it leaves ASGI, and how it is given away."""

import asyncio
from typing import Any, Final, Protocol

from shared.errors import WatchrouteError

EXTENSION: Final = "watchroute.handoff"
"""The name of the ASGI extension that gives a connection away."""


class ClientGone(WatchrouteError):
    """The client left before its connection could be handed off: nobody is there to be answered."""


class Successor(Protocol):
    """An asyncio protocol object that takes a connection over."""

    def take_over(self, transport: asyncio.Transport, head: bytes) -> None:
        """Called once: the transport is its own from now on, and what it writes has to begin with `head`.

        So the head needs no write of its own.
        """

    def data_received(self, data: bytes) -> None:
        """Called with what the client said."""


class _Gone(asyncio.Transport):
    """What is held in its place after the hand-off: closing it does nothing."""

    def is_closing(self) -> bool:
        return True

    def close(self) -> None:
        """Nothing: the connection belongs to somebody else."""

    def abort(self) -> None:
        """Nothing, for the same reason."""

    def write(self, data: Any) -> None:
        """Nothing, for the same reason."""

    def resume_reading(self) -> None:
        """Nothing, for the same reason."""

    def pause_reading(self) -> None:
        """Nothing, for the same reason."""


GONE: Final = _Gone()


def give(transport: asyncio.Transport, successor: Successor, head: bytes, early: bytes = b"") -> None:
    """Let a successor take over; `early` is what the client has said already."""
    protocol: Any = successor
    transport.set_protocol(protocol)
    transport.resume_reading()
    successor.take_over(transport, head)
    if early:
        successor.data_received(early)
