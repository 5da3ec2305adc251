"""A write: what is to be stored, checked and ready for Kafka, and the acknowledgement that it was."""

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from services.producer.attributes import checked_attributes
from services.producer.payload import payload_of
from shared.catalog import Catalog, Collection
from shared.event import encode_headers
from shared.problem import Problem
from shared.resource import Watch, checked_id
from shared.value import MAX_DEPTH


class Write(NamedTuple):
    """One record. `value` is None for a delete; `time_ms` is both the event's time and the record's timestamp."""

    collection: Collection
    id: str
    value: bytes | None
    headers: list[tuple[str, bytes]]
    time_ms: int

    @property
    def resource(self) -> str:
        """The resource as it stands in frames."""
        return f"{self.collection.name}/{self.id}"

    @property
    def topic(self) -> str:
        """Where it goes."""
        return self.collection.topic

    @property
    def size(self) -> int:
        """About how many bytes it holds in memory and on the wire."""
        headers = sum(len(name) + len(text) for name, text in self.headers)
        return len(self.id) + len(self.value or b"") + headers


class Ack(NamedTuple):
    """Kafka has the write: `version` is its offset, `cursor` the place just after it."""

    resource: str
    version: str
    cursor: str

    def document(self) -> dict[str, str]:
        """The answer's body."""
        return self._asdict()


def resource_of(resource: str, catalog: Catalog) -> tuple[Collection, str]:
    """The collection and the id in `collection/id`; raises Problem `invalid` or `not_found`."""
    watch = Watch.parse(resource)
    if watch.id is None:
        raise Problem("invalid", f"a write names a resource, {{collection}}/{{id}}, not {resource[:100]!r}")
    return catalog.get(watch.collection), watch.id


def prepare_put(
    collection: Collection, resource_id: str, data: Any, attributes: Mapping[str, str], *, max_depth: int = MAX_DEPTH
) -> Write:
    """Check everything that can be checked without Kafka; raises Problem.

    `data` as bytes is JSON text and goes through as it is, anything else is encoded.
    """
    value = payload_of(collection, data, max_depth=max_depth)
    return _prepare(collection, resource_id, value, attributes)


def prepare_delete(collection: Collection, resource_id: str, attributes: Mapping[str, str]) -> Write:
    """The tombstone of a resource, whether or not there is such a resource; raises Problem."""
    return _prepare(collection, resource_id, None, attributes)


def _prepare(collection: Collection, resource_id: str, value: bytes | None, attributes: Mapping[str, str]) -> Write:
    now_ms = time.time_ns() // 1_000_000
    headers = encode_headers(
        checked_id(resource_id),
        now_ms,
        checked_attributes(attributes),
        collection=collection.name,
        content_type=f"application/{collection.settings.value}",
    )
    return Write(collection, resource_id, value, headers, now_ms)
