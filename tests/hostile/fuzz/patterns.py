"""Patterns and grants: no pattern, or one that grants what it says, asked in two ways."""

from random import Random
from typing import Final

from shared.grants import Grants
from shared.pattern import Pattern, PatternMistake, Template
from shared.problem import Problem
from shared.resource import Watch
from tests.hostile.fuzz.mutation import Mutator

_PATTERNS: Final = (
    b"items", b"items/*", b"items/a", b"items/a*", b"*", b"items/%2A", b"caf/caf%C3%A9*", b"items/{sub}",
    b"items/{tenant}/*", b"items/{sub}-{tenant}", b"items/a/b/c",
)  # fmt: skip
_WATCHES: Final = (
    b"items",
    b"items/a",
    b"items?prefix=a",
    b"items/*",
    b"items/acme/1",
    b"items?prefix=acme/",
    b"other/a",
)
_CLAIMS: Final = (b"ann", b"acme", b"a/b", b"*", b"", b"..")


class Patterns:
    """Inputs are a pattern, a watch, and two claims."""

    name = "patterns"

    def make(self, random: Random) -> tuple[str, str, str, str]:
        """All four nearly right."""
        pattern, watch = Mutator(random, _PATTERNS, calm=0.3), Mutator(random, _WATCHES, calm=0.3)
        claims = Mutator(random, _CLAIMS, calm=0.5)
        return pattern.text(), watch.text(), claims.text(), claims.text()

    def run(self, data: tuple[str, str, str, str]) -> bool:
        """Whether it is a pattern and covers the watch."""
        written, label, sub, tenant = data
        grants = Grants.of_token({"scope": f"watch:{written}"})
        try:
            watch = Watch.parse(label)
        except Problem:
            return False
        granted = grants.cover("watch", watch)
        assert not grants.cover("publish", watch)
        if " " not in written:
            pattern = _pattern(written)
            assert granted == (pattern is not None and pattern.covers(watch)), "two answers to one question"
        filled = _filled(written, {"sub": sub, "tenant": tenant})
        return granted or (filled is not None and filled.covers(watch))


def _pattern(written: str) -> Pattern | None:
    try:
        return Pattern.parse(written)
    except PatternMistake:
        return None


def _filled(written: str, claims: dict[str, str]) -> Pattern | None:
    try:
        template = Template.parse(written)
    except PatternMistake:
        return None
    return template.fill(claims)
