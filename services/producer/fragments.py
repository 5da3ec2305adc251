"""The pieces of JSON text, as they were written.

Data that is decoded and encoded again is not what the writer wrote (`1e2`, a number of 30 digits, a name given twice),
so it is cut out of the text instead. All text here is known to be valid JSON.
"""

import re
from collections.abc import Iterator
from typing import Final

import orjson

_MARK: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{},]')
_NAME: Final = re.compile(rb'("(?:[^"\\]|\\.)*")\s*:\s*')


def elements(text: bytes) -> Iterator[bytes]:
    """The elements of an array, or the members of an object (`"name": value`), without the space around them."""
    depth = start = 0
    for found in _MARK.finditer(text):
        mark = found[0]
        if mark in b"[{":
            depth += 1
            start = found.end() if depth == 1 else start
        elif mark in b"]}":
            depth -= 1
            if depth == 0 and (last := text[start : found.start()].strip()):
                yield last
        elif mark == b"," and depth == 1:
            yield text[start : found.start()].strip()
            start = found.end()


def members(text: bytes) -> dict[str, bytes]:
    """The text of each member of an object; of members of one name the last."""
    found = {}
    for member in elements(text):
        name = _NAME.match(member)
        if name is None:
            raise AssertionError(member[:100])
        found[orjson.loads(name[1])] = member[name.end() :]
    return found
