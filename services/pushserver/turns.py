"""Turns: who has much to write takes turns with the others, and all of them with the rest of the event loop."""

import asyncio
import time
from typing import Final, Protocol

TURN_S: Final = 0.00025
"""How long those who wait may write before the loop looks at everything else: a live change waits no longer."""


class Waiting(Protocol):
    """Somebody who waits for a turn."""

    def pump(self) -> bool:
        """Write a piece, of a bounded size; returns whether there is more to write at once."""


class Turns:
    """A fair queue: the longest waiting first, each at most once, for TURN_S at a time (and one more piece)."""

    def __init__(self) -> None:
        self._waiting: dict[Waiting, None] = {}
        self._running = False

    def __len__(self) -> int:
        return len(self._waiting)

    def ask(self, waiting: Waiting) -> None:
        """Let somebody have a turn soon; nothing happens to who waits already."""
        self._waiting[waiting] = None
        if not self._running:
            self._running = True
            asyncio.get_running_loop().call_soon(self._run)

    async def mine(self) -> None:
        """Wait for a turn: to be called between two pieces of work, each of about TURN_S at most."""
        turn = _Turn()
        self.ask(turn)
        await turn.come

    def _run(self) -> None:
        try:
            self._give(until=time.monotonic() + TURN_S)
        finally:
            self._running = bool(self._waiting)
            if self._running:
                asyncio.get_running_loop().call_soon(self._run)

    def _give(self, until: float) -> None:
        while self._waiting and time.monotonic() < until:
            waiting = next(iter(self._waiting))
            del self._waiting[waiting]
            if waiting.pump():
                self._waiting[waiting] = None
            if isinstance(waiting, _Turn):
                # What it does with it begins when the loop turns.
                return


class _Turn:
    def __init__(self) -> None:
        self.come: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def pump(self) -> bool:
        if not self.come.done():
            self.come.set_result(None)
        return False
