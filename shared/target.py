"""What a URL path addresses.

An id is one percent-encoded segment, so the raw path is split before it is decoded: frameworks that decode first
can't tell `a%2Fb` from `a/b`.
"""

from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from shared.problem import Problem
from shared.resource import RESERVED_IN_URLS, Watch, checked_id, is_collection

VERBS: Final = frozenset({"stream", "ws", "poll"})
_ROOT: Final = b"/v1/"
_MANY: Final = "watch"


class Target(NamedTuple):
    """`watch` is None for `/v1/watch/...`, which names its watches elsewhere; `verb` is one of VERBS or empty."""

    watch: Watch | None
    verb: str


def parse_target(raw_path: bytes) -> Target:
    """Read the path of a request; raises Problem `not_found` or `invalid`."""
    if not raw_path.startswith(_ROOT):
        raise Problem("not_found", "paths start with /v1/")
    segments = [_decode(segment) for segment in raw_path[len(_ROOT) :].split(b"/")]
    first, *rest = segments
    if first == _MANY:
        if len(rest) == 1 and rest[0] in VERBS:
            return Target(None, rest[0])
        raise Problem("not_found", "several watches are at /v1/watch/ws, /v1/watch/stream and /v1/watch/poll")
    if not is_collection(first):
        raise Problem("not_found", f"there is no collection {first[:100]!r}")
    return _within(first, rest)


def _within(collection: str, rest: list[str]) -> Target:
    verb = rest.pop() if rest and rest[-1] in VERBS else ""
    if not rest:
        return Target(Watch(collection), verb)
    if len(rest) > 1:
        raise Problem("not_found", "an id is one path segment: write a slash in it as %2F")
    if rest[0] in RESERVED_IN_URLS:
        raise Problem("invalid", f"an id in a URL can't be {rest[0]!r}")
    return Target(Watch(collection, checked_id(rest[0])), verb)


def _decode(segment: bytes) -> str:
    try:
        return unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        raise Problem("invalid", "a path is percent-encoded UTF-8") from None
