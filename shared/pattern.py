"""Patterns of resources, as scopes and the configuration write them.

`stocks/AAPL` is one resource, `stocks/A*` the ids under a prefix, `stocks/*` or `stocks` a collection, `*` everything.
Only a `*` at the end stands for anything; everything may be percent-encoded, as scopes (RFC 6749, 3.3) have no spaces,
quotes or backslashes: `%2A` is a star.
In the configuration an id may hold claims of the token: `inbox/{sub}`, `rooms/{tenant}/*`.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Self
from urllib.parse import unquote

from shared.resource import MAX_ID_BYTES, Watch, id_mistake, is_collection

_CLAIM: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.-]*)\}")


class PatternMistake(ValueError):
    """It can't be a pattern; the message says why."""


class Pattern(NamedTuple):
    """The ids of `collection` (None: of every one) that are `text`, or with `open` begin with it."""

    collection: str | None
    text: str
    open: bool

    @classmethod
    def parse(cls, written: str) -> Self:
        """Read one without claims; raises PatternMistake."""
        collection, mark, rest = written.partition("/")
        if written == "*":
            return cls(None, "", open=True)
        name = _decoded(collection)
        if not is_collection(name):
            raise PatternMistake(f"{name[:100]!r} can't name a collection")
        is_open = rest.endswith("*") or not mark
        text = _decoded(rest[:-1] if is_open and mark else rest)
        mistake = _prefix_mistake(text) if is_open else id_mistake(text)
        if mistake:
            raise PatternMistake(mistake)
        return cls(name, text, is_open)

    def covers(self, watch: Watch) -> bool:
        """Whether everything that such a watch can show is of this pattern."""
        if self.collection is not None and self.collection != watch.collection:
            return False
        if watch.id is not None:
            return watch.id.startswith(self.text) if self.open else watch.id == self.text
        return self.open and (watch.prefix or "").startswith(self.text)


class Template(NamedTuple):
    """A pattern with claims in its id; `parts` are text and names of claims in turn, beginning and ending with text."""

    collection: str | None
    parts: tuple[str, ...]
    open: bool

    @classmethod
    def parse(cls, written: str) -> Self:
        """Read one of the configuration; raises PatternMistake.

        A claim right before the star is a mistake: `inbox/{sub}*` would let `ann` see what is `anna`'s.
        """
        collection, _, rest = written.partition("/")
        blank = Pattern.parse(_CLAIM.sub("x", written))
        if _CLAIM.search(collection):
            raise PatternMistake("a claim can't name a collection")
        if blank.open and rest.endswith("}*"):
            raise PatternMistake("between a claim and * there has to be something, as in {sub}/*")
        parts = _CLAIM.split(rest[:-1] if blank.open else rest)
        return cls(blank.collection, tuple(map(_decoded, parts)), blank.open)

    def fill(self, claims: Mapping[str, Any]) -> Pattern | None:
        """The pattern for a token with these claims, or None when a claim is missing or would widen it.

        A claim is taken as it is: a star in it is a star. Where the pattern is open, a claim can't hold what follows
        it in the pattern: with `{tenant}/*` the tenant `a` is not to see what is under the tenant `a/b`.
        """
        filled = self.parts[0]
        for name, following in zip(self.parts[1::2], self.parts[2::2], strict=True):
            value = claims.get(name)
            if not isinstance(value, str) or not value or (self.open and following[:1] in value):
                return None
            filled += value + following
        mistake = _prefix_mistake(filled) if self.open else id_mistake(filled)
        return None if mistake else Pattern(self.collection, filled, self.open)


def _decoded(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise PatternMistake("percent-encoded text is UTF-8") from None


def _prefix_mistake(prefix: str) -> str | None:
    if "\0" in prefix:
        return "an id has no NUL"
    if len(prefix.encode(errors="replace")) > MAX_ID_BYTES:
        return f"an id has at most {MAX_ID_BYTES} bytes"
    return None
