"""Names: collections, ids, and what a watch covers.

A resource is `{collection}/{id}`. The id is the Kafka record key: UTF-8, 1 to 512 bytes, no NUL, not `.` or `..`.
A watch is written as it appears in frames: `stocks/AAPL`, `stocks`, or `stocks?prefix=A`.
"""

import re
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Final, NamedTuple, Self
from urllib.parse import quote

from shared.problem import Problem

MAX_ID_BYTES: Final = 512
RESERVED_COLLECTIONS: Final = frozenset({"watch", "tickets", "openapi.json"})
RESERVED_IN_URLS: Final = frozenset({"stream", "ws", "poll", "watch"})
_COLLECTION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,126}")
_PREFIX: Final = "?prefix="


def is_collection(name: str) -> bool:
    """Whether `name` may name a collection: up to 127 letters, digits, `.`, `_`, `-`, none of the reserved words."""
    return bool(_COLLECTION.fullmatch(name)) and name not in RESERVED_COLLECTIONS


def id_mistake(resource_id: str) -> str | None:
    """What keeps `resource_id` from being an id, or None."""
    if resource_id in {"", ".", ".."}:
        return f"an id can't be {resource_id!r}"
    if "\0" in resource_id:
        return "an id has no NUL"
    try:
        size = len(resource_id.encode())
    except UnicodeEncodeError:
        return "an id is valid UTF-8"
    if size > MAX_ID_BYTES:
        return f"an id has at most {MAX_ID_BYTES} bytes, this one has {size}"
    return None


def checked_id(resource_id: str) -> str:
    """`resource_id` itself; raises Problem `invalid` when it can't be an id."""
    mistake = id_mistake(resource_id)
    if mistake:
        raise Problem("invalid", mistake)
    return resource_id


def decode_key(key: bytes | None) -> str | None:
    """The id in a Kafka record key, or None when the key can't be a name."""
    if not key or len(key) > MAX_ID_BYTES:
        return None
    try:
        resource_id = key.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in resource_id or resource_id in {".", ".."} else resource_id


class Within(NamedTuple):
    """The part of a collection that is granted: some ids, and the ids under some prefixes, no two of which overlap.

    `mark` tells one part from another.
    """

    ids: frozenset[str]
    prefixes: tuple[str, ...]
    mark: str

    @classmethod
    def of(cls, ids: Iterable[str], prefixes: Iterable[str]) -> Self:
        """The part that these make up; what lies within another of them is left out."""
        apart: list[str] = []
        for prefix in sorted(set(prefixes), key=len):
            if not prefix.startswith(tuple(apart)):
                apart.append(prefix)
        alone = frozenset(each for each in ids if not each.startswith(tuple(apart)))
        return cls(alone, tuple(sorted(apart)), blake2b(repr((sorted(alone), sorted(apart))).encode()).hexdigest())

    def covers(self, resource_id: str) -> bool:
        """Whether a resource belongs to it."""
        return resource_id in self.ids or resource_id.startswith(self.prefixes)


class Watch(NamedTuple):
    """What a watch covers: one resource (`id`), the ids under a `prefix`, or (neither) the whole collection.

    Of the last two `within` may leave less, down to what is granted: the rest is as if it weren't there.
    """

    collection: str
    id: str | None = None
    prefix: str | None = None
    within: Within | None = None

    @classmethod
    def parse(cls, label: str) -> Self:
        """Read a label; raises Problem `invalid`. Whether the collection exists is asked elsewhere."""
        collection, mark, rest = _split(label)
        if mark == "/":
            watch = cls(collection, checked_id(rest))
        else:
            watch = cls(collection, prefix=checked_prefix(rest) if mark else None)
        if not is_collection(watch.collection):
            raise Problem("invalid", f"{watch.collection[:100]!r} can't name a collection")
        return watch

    @property
    def label(self) -> str:
        """The watch as it stands in frames."""
        if self.id is not None:
            return f"{self.collection}/{self.id}"
        return self.collection if self.prefix is None else f"{self.collection}{_PREFIX}{self.prefix}"

    @property
    def narrow(self) -> bool:
        """Whether it covers less than the collection."""
        return self.id is not None or self.prefix is not None or self.within is not None

    @property
    def asked(self) -> Self:
        """The watch as it was asked for."""
        return self if self.within is None else self._replace(within=None)

    @property
    def parts(self) -> Sequence[Self]:
        """Watches that cover the same, each of them one resource or all under one prefix, and no two the same."""
        if self.within is None:
            return (self,)
        prefixes = [self._replace(prefix=prefix, within=None) for prefix in self.within.prefixes]
        return [*(type(self)(self.collection, each) for each in sorted(self.within.ids)), *prefixes]

    @property
    def scope(self) -> str:
        """What it covers, as a name: for cursors, which are of one part and not of another."""
        return self.label if self.within is None else f"{self.label}\0{self.within.mark}"

    def covers(self, resource_id: str) -> bool:
        """Whether a change of `resource_id` (of this collection) belongs to the watch."""
        if self.id is not None:
            return resource_id == self.id
        if self.within is not None:
            return self.within.covers(resource_id)
        return self.prefix is None or resource_id.startswith(self.prefix)

    def overlaps(self, other: Self) -> bool:
        """Whether some resource belongs to both."""
        if self.collection != other.collection:
            return False
        if self.id is not None:
            return other.covers(self.id)
        if other.id is not None:
            return self.covers(other.id)
        mine, theirs = self.prefix or "", other.prefix or ""
        return mine.startswith(theirs) or theirs.startswith(mine)


def _split(label: str) -> tuple[str, str, str]:
    # A prefix may hold a slash, and an id the mark of a prefix: the first of the two says which it is.
    by_slash, by_prefix = label.partition("/"), label.partition(_PREFIX)
    return by_slash if len(by_slash[0]) < len(by_prefix[0]) else by_prefix


def checked_prefix(prefix: str) -> str | None:
    """`prefix`, or None for the empty one (which covers everything); raises Problem `invalid`."""
    if not prefix:
        return None
    if "\0" in prefix or len(prefix.encode(errors="replace")) > MAX_ID_BYTES:
        raise Problem("invalid", f"a prefix has at most {MAX_ID_BYTES} bytes and no NUL")
    return prefix


def path_of(collection: str, resource_id: str) -> str:
    """The URL path of a resource: the id is one percent-encoded segment."""
    return f"/v1/{quote(collection, safe='')}/{quote(resource_id, safe='')}"
