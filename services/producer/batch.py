"""The items of a POST: read and checked whole, before the first of them is written."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from services.producer.body import JSON, MSGPACK, NDJSON
from services.producer.fragments import elements, members
from services.producer.payload import problem_of_malformed
from services.producer.settings import ProducerSettings
from services.producer.write import Write, prepare_delete, prepare_put
from shared.catalog import Collection
from shared.problem import Problem
from shared.resource import checked_id
from shared.value import MAX_DEPTH, MalformedValue, json_text

_PAUSE_EVERY: Final = 50
"""Items between which other requests get their turn."""


async def prepare_batch(
    collection: Collection, body: bytes, media_type: str, attributes: Mapping[str, str], settings: ProducerSettings
) -> list[Write]:
    """The writes, in order; raises Problem with every error and its index when one item is not good."""
    writes: list[Write] = []
    errors: list[dict[str, Any]] = []
    for index, item in enumerate(_items(body, media_type)):
        if index == settings.max_batch:
            raise Problem("too_large", f"a batch has at most {settings.max_batch} items")
        if index % _PAUSE_EVERY == _PAUSE_EVERY - 1:
            await asyncio.sleep(0)
        try:
            writes.append(_prepare(collection, item, attributes, settings))
        except Problem as problem:
            errors.append({"index": index, "code": problem.code, "detail": problem.detail, **problem.members})
    if errors:
        raise Problem("invalid_data", f"{len(errors)} of the items can't be written; nothing was", errors=errors)
    return writes


def check_id(resource_id: str, settings: ProducerSettings) -> str:
    """`resource_id` itself; raises Problem `invalid` when it can't be an id, or is longer than this service allows."""
    size = len(checked_id(resource_id).encode())
    if size > settings.max_id_bytes:
        raise Problem("invalid", f"an id has at most {settings.max_id_bytes} bytes here, this one has {size}")
    return resource_id


def _items(body: bytes, media_type: str) -> Iterator[bytes]:
    if media_type == NDJSON:
        return (line for line in map(bytes.strip, body.split(b"\n")) if line)
    try:
        text = json_text(body, "msgpack") if media_type == MSGPACK else body
        # orjson bounds the depth of the whole; that of each item's data is checked with the item.
        parsed = orjson.loads(text)
    except MalformedValue as malformed:
        raise problem_of_malformed(malformed, MAX_DEPTH) from None
    except orjson.JSONDecodeError as error:
        raise Problem("invalid", f"the body is not JSON text: {error}") from None
    if not isinstance(parsed, list):
        raise Problem("invalid", f"a {JSON} body is an array of items here")
    return elements(text)


def _prepare(collection: Collection, item: bytes, attributes: Mapping[str, str], settings: ProducerSettings) -> Write:
    found = _members(item)
    resource_id = orjson.loads(found["id"])
    if not isinstance(resource_id, str):
        raise Problem("invalid", "an item's id is text")
    check_id(resource_id, settings)
    if "data" in found:
        return prepare_put(collection, resource_id, found["data"], attributes, max_depth=settings.max_depth)
    if found["delete"] != b"true":
        raise Problem("invalid", "an item's delete is true, or left out")
    return prepare_delete(collection, resource_id, attributes)


def _members(item: bytes) -> dict[str, bytes]:
    try:
        is_object = isinstance(orjson.loads(item), dict)
    except orjson.JSONDecodeError as error:
        raise Problem("invalid", f"the item is not JSON text: {error}") from None
    found = members(item) if is_object else {}
    if set(found) not in ({"id", "data"}, {"id", "delete"}):
        raise Problem("invalid", "an item is an object with an id, and with either data or delete")
    return found
