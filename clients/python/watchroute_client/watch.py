"""One watch, as the application has it."""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from watchroute_client.change import Change
from watchroute_client.inbox import Inbox
from watchroute_client.progress import Progress


class Watch:
    """An async iterator of changes; it ends when it is closed, and raises WatchError when the server forbids it.

    Without `aclose()` or `async with` it is closed when nothing refers to it any more.
    """

    def __init__(self, progress: Progress, close: Callable[[Progress], None]) -> None:
        self.progress = progress
        self.inbox = Inbox()
        self._close = close

    @property
    def path(self) -> str:
        """What is watched."""
        return self.progress.target.label

    @property
    def cursor(self) -> str | None:
        """How far the application has come: a watch from here misses nothing that comes after what was taken."""
        return self.progress.cursor if self.inbox.empty else self.inbox.cursor

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Change:
        change = await self.inbox.take()
        if change is None:
            raise StopAsyncIteration
        return change

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Stop watching; the iterator ends at once."""
        self._close(self.progress)
