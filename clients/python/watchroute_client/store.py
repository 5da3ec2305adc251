"""A live map of a collection."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from watchroute_client.change import Change
from watchroute_client.problem import WatchError
from watchroute_client.state import State
from watchroute_client.watch import Watch


class Store(Mapping[str, Any]):
    """The newest state of everything that is watched, by id; an async context manager, read like a dict.

    While the state is told anew (after a `reset`) the map stays as it was, and is replaced when the new one is whole.
    """

    def __init__(self, watch: Watch, state: Callable[[], State]) -> None:
        self._watch = watch
        self._state = state
        self._items: dict[str, Any] = {}
        self._coming: dict[str, Any] | None = None
        self._changed = asyncio.Event()
        self._whole = asyncio.Event()
        self._error: WatchError | None = None
        self._task = asyncio.get_running_loop().create_task(self._follow())

    @property
    def ready(self) -> bool:
        """Whether the map is whole: what it holds was the state at one time, and every change since."""
        return self._whole.is_set()

    @property
    def live(self) -> bool:
        """Whether changes arrive as they happen."""
        return self.ready and self._error is None and self._state() is State.LIVE

    @property
    def freshness(self) -> float | None:
        """How old the state may be, in seconds, by the server's last word on that; None before there was one."""
        as_of = self._watch.progress.as_of
        return None if as_of is None else max(0.0, time.time() - as_of)

    @property
    def skipped(self) -> int:
        """How many changes were left out, as newer ones of the same resource came before they could be sent."""
        return self._watch.progress.skipped

    @property
    def cursor(self) -> str | None:
        """How far it has come."""
        return self._watch.cursor

    def __getitem__(self, resource_id: str) -> Any:
        return self._items[resource_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    async def until_ready(self) -> Self:
        """Return when the map is whole; raises what ended the watch."""
        waits = asyncio.ensure_future(self._whole.wait())
        await asyncio.wait((waits, self._task), return_when=asyncio.FIRST_COMPLETED)
        waits.cancel()
        if self._error is not None:
            raise self._error
        return self

    async def changes(self) -> AsyncIterator[Self]:
        """Yield the store after it has changed, once for all that came meanwhile; raises what ended the watch."""
        while not self._task.done():
            await self._changed.wait()
            self._changed.clear()
            if self._error is not None:
                raise self._error
            yield self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Stop watching; the map stays as it is."""
        await self._watch.aclose()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _follow(self) -> None:
        try:
            async for change in self._watch:
                self._on_change(change)
                self._changed.set()
        except WatchError as error:
            self._error = error
        self._changed.set()

    def _on_change(self, change: Change) -> None:
        items = self._items if self._coming is None else self._coming
        resource_id = change.resource.partition("/")[2]
        match change.event:
            case "put":
                items[resource_id] = change.data
            case "delete":
                items.pop(resource_id, None)
            case "reset":
                self._coming = {}
            case "synced":
                if self._coming is not None:
                    self._items, self._coming = self._coming, None
                self._whole.set()
