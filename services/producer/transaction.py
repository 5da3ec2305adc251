"""Changes as a program writes them down, and those that belong together."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple, Self

from services.producer.write import Ack, Write, prepare_delete, prepare_put, resource_of
from shared.catalog import Catalog

_NONE: Mapping[str, str] = {}


class Put(NamedTuple):
    """The state of `collection/id` shall be `data`."""

    resource: str
    data: Any
    attributes: Mapping[str, str] = _NONE

    def prepare(self, catalog: Catalog) -> Write:
        """The write; raises Problem."""
        collection, resource_id = resource_of(self.resource, catalog)
        return prepare_put(collection, resource_id, self.data, self.attributes)


class Delete(NamedTuple):
    """`collection/id` shall be no more."""

    resource: str
    attributes: Mapping[str, str] = _NONE

    def prepare(self, catalog: Catalog) -> Write:
        """The write; raises Problem."""
        collection, resource_id = resource_of(self.resource, catalog)
        return prepare_delete(collection, resource_id, self.attributes)


class Transaction:
    """Gathers changes, and makes them all or none when its `async with` block ends; see Publisher.transaction.

    Nothing is sent before, so a slow block holds nobody back. `acks` are there afterwards, in the changes' order.
    """

    def __init__(self, catalog: Catalog, deliver: Callable[[Sequence[Write]], Awaitable[list[Ack]]]) -> None:
        self._catalog = catalog
        self._deliver = deliver
        self._writes: list[Write] = []
        self.acks: list[Ack] = []

    def put(self, resource: str, data: Any, **attributes: str) -> None:
        """Add a change; raises Problem when it can't be made."""
        self._writes.append(Put(resource, data, attributes).prepare(self._catalog))

    def delete(self, resource: str, **attributes: str) -> None:
        """Add a delete; raises Problem when it can't be made."""
        self._writes.append(Delete(resource, attributes).prepare(self._catalog))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.acks = await self._deliver(self._writes)
