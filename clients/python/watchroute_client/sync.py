"""The synchronous face, for scripts: the same client, on a thread of its own."""

import asyncio
import threading
from collections.abc import Coroutine, Generator, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from watchroute_client.change import Change
from watchroute_client.client import Token, WatchClient
from watchroute_client.problem import WatchError

if TYPE_CHECKING:
    from watchroute_client.http import Resource, Written

_Found = TypeVar("_Found")


class SyncClient:
    """A context manager; its arguments are those of WatchClient. A token callback is called on the other thread."""

    def __init__(self, url: str, *, token: Token | None = None, **more: Any) -> None:
        self._client = WatchClient(url, token=token, **more)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="watchroute-client", daemon=True)
        self._thread.start()

    def get(self, path: str, *, at_least: str | None = None) -> "Resource":
        """The state of a resource now; raises WatchError `not_found`."""
        return self._wait(self._client.get(path, at_least=at_least))

    def listing(self, path: str) -> list[Change]:
        """The state of a collection, or of the ids under a prefix."""
        return self._wait(self._list(path))

    def put(self, path: str, data: Any, *, event_type: str | None = None) -> "Written":
        """Replace the state of a resource; returns when Kafka has it."""
        return self._wait(self._client.put(path, data, event_type=event_type))

    def delete(self, path: str) -> "Written":
        """Delete a resource; returns when Kafka has it."""
        return self._wait(self._client.delete(path))

    def put_many(
        self, collection: str, items: Mapping[str, Any] | Iterable[tuple[str, Any]], *, atomic: bool = False
    ) -> list["Written | WatchError"]:
        """Write many resources at once; what became of each, in order."""
        return self._wait(self._client.put_many(collection, items, atomic=atomic))

    def watch(self, path: str, **more: Any) -> Generator[Change, None, None]:
        """Watch as WatchClient does, for as long as the iterator is read."""
        watch = self._wait(self._call(lambda: self._client.watch(path, **more)))
        try:
            while (change := self._wait(watch.inbox.take())) is not None:
                yield change
        finally:
            self._wait(watch.aclose())

    def close(self) -> None:
        """End all watches, and the thread."""
        if self._loop.is_closed():
            return
        self._wait(self._client.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def _list(self, path: str) -> list[Change]:
        return [change async for change in self._client.listing(path)]

    async def _call(self, function: Any) -> Any:
        return function()

    def _wait(self, work: Coroutine[Any, Any, _Found]) -> _Found:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()
