"""What a watcher saw, in the order in which it saw it."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar

Frame: TypeAlias = dict[str, Any]
T = TypeVar("T")

DEADLINE_S: Final = 10.0
DATA_EVENTS: Final = frozenset({"put", "delete"})


@dataclass(frozen=True)
class Entry:
    """One thing that arrived.

    `frame` is None where a cursor came alone (an SSE event with only an id, a poll without news). `cursor` is what a
    client may resume from once it has this entry, or None where it brought none.
    """

    frame: Frame | None
    cursor: str | None
    at_s: float


@dataclass(frozen=True)
class End:
    """How a watch ended: the WebSocket close code (0 elsewhere) and its reason."""

    code: int
    reason: str


ASIDES: Final = frozenset({"ack", "pong", "bookmark"})


class Recording:
    """The history of one connection; it grows until `finish`, and then stays as it is."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.problems: list[Frame] = []
        self.end: End | None = None
        self.cursor: str | None = None
        self._waiting: set[asyncio.Future[None]] = set()

    @property
    def frames(self) -> list[Frame]:
        """Every frame, oldest first."""
        return [entry.frame for entry in self.entries if entry.frame is not None]

    @property
    def data(self) -> list[Frame]:
        """The puts and deletes, oldest first."""
        return [frame for frame in self.frames if frame["event"] in DATA_EVENTS]

    @property
    def story(self) -> list[Frame]:
        """Every frame that tells of a watch, oldest first: no acknowledgements, no heartbeats."""
        return [frame for frame in self.frames if frame["event"] not in ASIDES]

    def add(self, frame: Frame, cursor: str | None = None) -> None:
        """Record a frame, with the cursor that it makes usable."""
        if frame["event"] == "problem":
            self.problems.append(frame)
        self._append(Entry(frame, cursor, time.monotonic()))

    def mark(self, cursor: str) -> None:
        """Record a cursor that came without a frame."""
        self._append(Entry(None, cursor, time.monotonic()))

    def finish(self, end: End) -> None:
        """Say that nothing more will come; only the first call counts."""
        if self.end is None:
            self.end = end
            self._wake()

    async def until(self, condition: Callable[["Recording"], T], timeout_s: float = DEADLINE_S) -> T:
        """The first true answer of `condition`, asked again whenever something arrives.

        Raises TimeoutError, with what was seen, at the deadline.
        """
        deadline = asyncio.get_running_loop().time() + timeout_s
        while not (answer := condition(self)):
            left_s = deadline - asyncio.get_running_loop().time()
            if left_s <= 0 or not await self._changed(left_s):
                raise TimeoutError(f"not seen within {timeout_s} s: {self._tail()}")
        return answer

    async def wait_for(
        self, predicate: Callable[[Frame], bool], timeout_s: float = DEADLINE_S, *, after: int = 0
    ) -> Frame:
        """The first frame that meets the predicate, not looking at the first `after` ones."""
        found = await self.until(lambda self: [f for f in self.frames[after:] if predicate(f)][:1], timeout_s)
        return found[0]

    async def wait_end(self, timeout_s: float = DEADLINE_S) -> End:
        """How the watch ended, once it has."""
        await self.until(lambda self: self.end is not None, timeout_s)
        assert self.end is not None
        return self.end

    def _append(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.cursor = entry.cursor or self.cursor
        self._wake()

    def _wake(self) -> None:
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)

    async def _changed(self, timeout_s: float) -> bool:
        if self.end is not None:
            raise TimeoutError(f"the watch ended ({self.end}) before it was seen: {self._tail()}")
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(waiter)
        try:
            done, _ = await asyncio.wait({waiter}, timeout=timeout_s)
        finally:
            self._waiting.discard(waiter)
        return bool(done)

    def _tail(self) -> str:
        return f"{len(self.entries)} entries, the last of them {[e.frame or e.cursor for e in self.entries[-6:]]}"
