"""What a transport tells, and what it is told."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

Frame = Mapping[str, Any]


class Line(Protocol):
    """The client's end of one connection; `operations` are to be sent, one after another."""

    operations: asyncio.Queue[Mapping[str, Any]]

    def opened(self) -> None:
        """The server has taken it in."""

    async def frame(self, frame: Frame) -> None:
        """A frame came; returns when there is room for the next."""

    async def answer(self, frames: Sequence[Frame], cursor: str | None) -> None:
        """A poll was answered; returns when there is room for the next."""

    def mark(self, cursor: str) -> None:
        """An event stream said how far it has come."""

    def retry(self, retry_s: float) -> None:
        """An event stream said when to come back."""

    def alive(self) -> None:
        """Something came."""
