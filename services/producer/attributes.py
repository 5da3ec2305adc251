"""What a writer may say about an event besides its data: CloudEvents attributes and the trace it belongs to."""

import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import unquote

from shared.problem import Problem

MAX_ATTRIBUTES: Final = 16
MAX_ATTRIBUTE_BYTES: Final = 1024
_TRACEPARENT: Final = "traceparent"
_HEADER_PREFIX: Final = "ce-"
_OURS: Final = frozenset({"time", "subject", "datacontenttype"})
_NAME: Final = re.compile("[a-z0-9]{1,20}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_TRACE: Final = re.compile("(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")


def checked_attributes(attributes: Mapping[str, str]) -> dict[str, str]:
    """`attributes` themselves, when CloudEvents allows them and they aren't ours to set; raises Problem `invalid`.

    A `traceparent` that is none is left out, as W3C Trace Context asks.
    """
    if len(attributes) > MAX_ATTRIBUTES:
        raise Problem("invalid", f"an event has at most {MAX_ATTRIBUTES} attributes")
    checked = {}
    for name, text in attributes.items():
        if name == _TRACEPARENT:
            if _TRACE.fullmatch(text):
                checked[name] = text
        elif mistake := _mistake(name, text):
            raise Problem("invalid", f"event attribute {name[:30]!r}: {mistake}")
        else:
            checked[name] = text
    return checked


def attributes_of_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The attributes in HTTP headers (`ce-type: …`, `traceparent: …`; names in lower case), not yet checked.

    Values are percent-encoded, as in the HTTP binding of CloudEvents.
    """
    found: dict[str, str] = {}
    for name, text in headers:
        if name.startswith(_HEADER_PREFIX):
            attribute, value = name.removeprefix(_HEADER_PREFIX), unquote(text)
        elif name == _TRACEPARENT:
            attribute, value = name, text
        else:
            continue
        if attribute in found:
            raise Problem("invalid", f"the header {name[:30]} is given twice")
        found[attribute] = value
    return found


def _mistake(name: str, text: object) -> str | None:
    if name in _OURS:
        return "this one is set by Watchroute"
    if not _NAME.fullmatch(name):
        return "a name has up to 20 letters a to z and digits"
    if name == "specversion" and text != "1.0":
        return "only 1.0 is understood"
    if not isinstance(text, str) or not text or _CONTROL.search(text):
        return "a value is text, not empty, without control characters"
    if len(text.encode()) > MAX_ATTRIBUTE_BYTES:
        return f"a value has at most {MAX_ATTRIBUTE_BYTES} bytes"
    return None
