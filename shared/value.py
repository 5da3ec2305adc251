"""Record values: JSON text in, checked; msgpack in and out."""

import json
import math
import re
from typing import Any, Final, Literal

import msgpack
import orjson

from shared.errors import WatchrouteError

ValueFormat = Literal["json", "msgpack"]
MAX_DEPTH: Final = 128
_OPENING: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]')
_LONG_NUMBER: Final = re.compile(rb"[0-9]{16}")
_LINE_FEED: Final = 0x0A
_CARRIAGE_RETURN: Final = 0x0D
_MIN_INT: Final = -(1 << 63)
_MAX_INT: Final = (1 << 64) - 1


class MalformedValue(WatchrouteError):
    """The value is not what the collection holds; `reason` is `syntax`, `depth` or `number`."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class NumberTooLarge(WatchrouteError):
    """A number in the data is one that msgpack can't hold."""


def json_text(value: bytes, value_format: ValueFormat) -> bytes:
    """The value as one line of JSON text; raises MalformedValue.

    JSON passes through unchanged but for raw line breaks, which are white space between tokens and become spaces.
    """
    if value_format == "msgpack":
        return _text_of_msgpack(value)
    check_json(value)
    # By number: the search for a byte string of length one takes seven times as long.
    if _LINE_FEED in value or _CARRIAGE_RETURN in value:
        return value.replace(b"\r", b" ").replace(b"\n", b" ")
    return value


def check_json(text: bytes, max_depth: int = MAX_DEPTH) -> Any:
    """The value of JSON text; raises MalformedValue. Depth is limited to `max_depth`, at most MAX_DEPTH."""
    try:
        parsed = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise MalformedValue("depth" if "depth" in str(error) else "syntax") from None
    # What is opened is closed as well: a short text, as most are, can't be deep.
    if len(text) > 2 * max_depth and text.count(b"[") + text.count(b"{") > max_depth and _depth(text) > max_depth:
        raise MalformedValue("depth")
    return parsed


def _depth(text: bytes) -> int:
    depth = deepest = 0
    for token in _OPENING.finditer(text):
        mark = token[0][:1]
        if mark != b'"':
            depth += 1 if mark in b"[{" else -1
            deepest = max(deepest, depth)
    return deepest


def _text_of_msgpack(value: bytes) -> bytes:
    try:
        text = orjson.dumps(_finite(msgpack.unpackb(value, strict_map_key=True)))
    except MalformedValue:
        raise
    except (ValueError, TypeError, msgpack.UnpackException):
        # msgpack and orjson have several classes for "can't", all of them ValueError or TypeError.
        raise MalformedValue("syntax") from None
    check_json(text)
    return text


def _finite(value: Any, depth: int = 0) -> Any:
    # orjson writes NaN and infinities as null: a silent change of the data.
    if depth > MAX_DEPTH:
        raise MalformedValue("depth")
    if isinstance(value, float) and not math.isfinite(value):
        raise MalformedValue("number")
    if isinstance(value, dict):
        for item in value.values():
            _finite(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _finite(item, depth + 1)
    return value


def msgpack_value(text: bytes) -> Any:
    """The value of JSON text as msgpack can hold it, exactly; raises NumberTooLarge."""
    if not _LONG_NUMBER.search(text):
        return orjson.loads(text)
    return json.loads(text, parse_int=_exact_int, parse_float=_exact_float)


def _exact_int(digits: str) -> int:
    # Python refuses to read thousands of digits; what has more than 20 is out of range anyway.
    if len(digits) > 21 or not _MIN_INT <= (number := int(digits)) <= _MAX_INT:  # noqa: PLR2004 -- see above
        raise NumberTooLarge(digits[:40])
    return number


def _exact_float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number) or _significant(digits) > 17:  # noqa: PLR2004 -- digits that a double can tell apart
        raise NumberTooLarge(digits[:40])
    return number


def _significant(digits: str) -> int:
    mantissa = re.split("[eE]", digits, maxsplit=1)[0]
    return len(mantissa.replace(".", "").lstrip("-0").rstrip("0"))
