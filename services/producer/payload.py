"""The value of a record, from what a writer hands over."""

import dataclasses
import math
from typing import Any, Final

import msgpack
import orjson

from shared.catalog import Collection
from shared.problem import Problem
from shared.value import MAX_DEPTH, MalformedValue, NumberTooLarge, check_json, msgpack_value

_REASONS: Final = {
    "syntax": "it is not JSON text",
    "number": "NaN and infinities are not JSON",
}


def payload_of(collection: Collection, data: Any, *, max_depth: int = MAX_DEPTH) -> bytes:
    """`data` in the collection's format, met by its schema and limits; raises Problem.

    Bytes are JSON text and, in a JSON collection, written as they are. Anything else is encoded (dataclasses,
    datetimes and UUIDs included); what JSON can't hold exactly is refused, never changed.
    """
    text = bytes(data) if isinstance(data, (bytes, bytearray, memoryview)) else _text_of(data)
    _check_size(collection, text)
    parsed = _parsed(text, max_depth)
    _check_schema(collection, parsed)
    return _as_msgpack(collection, text) if collection.settings.value == "msgpack" else text


def problem_of_malformed(malformed: MalformedValue, max_depth: int) -> Problem:
    """What a writer is told about data that can't be read."""
    code = "invalid" if malformed.reason == "syntax" else "invalid_data"
    return Problem(code, f"the data: {_REASONS.get(malformed.reason, f'it is nested deeper than {max_depth}')}")


def _parsed(text: bytes, max_depth: int) -> Any:
    try:
        return check_json(text, max_depth)
    except MalformedValue as malformed:
        raise problem_of_malformed(malformed, max_depth) from None


def _check_size(collection: Collection, value: bytes) -> None:
    limit = collection.settings.max_value_bytes
    if len(value) > limit:
        raise Problem("too_large", f"data in {collection.name} has at most {limit} bytes, this has {len(value)}")


def _check_schema(collection: Collection, parsed: Any) -> None:
    mistakes = collection.schema.mistakes(parsed) if collection.schema else []
    if mistakes:
        raise Problem("invalid_data", f"the data doesn't meet the schema of {collection.name}", errors=mistakes)


def _as_msgpack(collection: Collection, text: bytes) -> bytes:
    try:
        value: bytes = msgpack.packb(msgpack_value(text))
    except NumberTooLarge as error:
        raise Problem("invalid_data", f"{collection.name} holds msgpack, which can't hold the number {error}") from None
    _check_size(collection, value)
    return value


def _text_of(data: Any) -> bytes:
    try:
        text = orjson.dumps(data)
    except TypeError as error:
        raise Problem("invalid_data", f"the data can't be written as JSON: {error}") from None
    # orjson writes NaN and infinities as null: a silent change of the data.
    if b"null" in text and _has_lost_number(data):
        raise Problem("invalid_data", f"the data: {_REASONS['number']}")
    return text


def _has_lost_number(value: Any) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, dict):
        return any(map(_has_lost_number, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(_has_lost_number, value))
    if dataclasses.is_dataclass(value):
        return any(_has_lost_number(getattr(value, field.name)) for field in dataclasses.fields(value))
    return False
