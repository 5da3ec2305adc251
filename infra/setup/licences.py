#!/usr/bin/env python3
"""Check the licences of everything that is installed in `.venv`: what runs, and what we work with.

A licence comes from the metadata of a distribution: its SPDX expression, else its text, else its classifiers, else what
its LICENSE file begins with. One that isn't allowed, or that can't be made out, is a mistake.
"""

import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from typing import Final

ALLOWED: Final = frozenset(
    {"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "PSF-2.0", "Unlicense", "ZPL-2.1"}
    # A copyleft for its own files only, of which we change none.
    | {"MPL-2.0"}
)
WRITTEN: Final = {
    "apache": "Apache-2.0",
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd": "BSD-3-Clause",
    "bsd license": "BSD-3-Clause",
    "bsd 2-clause license": "BSD-2-Clause",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "python software foundation license": "PSF-2.0",
    "psfl": "PSF-2.0",
    "the mit license": "MIT",
    "the unlicense (unlicense)": "Unlicense",
    "isc license (iscl)": "ISC",
}
"""What people write for a licence, in small letters: some leave out which version, or how many clauses."""
NOTHING: Final = frozenset({"", "unknown"})
CLASSIFIER: Final = "License :: "
TOKENS: Final = re.compile(r"\(|\)|[^\s()]+")


def main() -> int:
    """Print every distribution that may not be used; return the exit status."""
    found = sorted(distributions(), key=lambda each: each.name.lower())
    wrong = [each for each in found if not is_allowed(licence_of(each))]
    for each in wrong:
        print(f"{each.name} {each.version}: {licence_of(each) or 'no licence that we can make out'}")
    if wrong:
        print("Look at each: is its licence one for ALLOWED, is it written in a new way (WRITTEN), or must it go?")
    return 1 if wrong else 0


def licence_of(distribution: Distribution) -> str:
    """An SPDX expression, as far as the metadata give one; empty when they say nothing."""
    metadata = distribution.metadata
    expression, text = ("".join(metadata.get_all(name, [])[:1]).strip() for name in ("License-Expression", "License"))
    classified = [
        each.rpartition(" :: ")[2] for each in metadata.get_all("Classifier", []) if each.startswith(CLASSIFIER)
    ]
    if expression:
        return expression
    if "\n" not in text and text.lower() not in NOTHING:
        return _spdx(text)
    if classified:
        # Several licences may be a choice, or may all hold: they say nothing of it.
        return " AND ".join(map(_spdx, classified))
    return " AND ".join(_headings(distribution))


def is_allowed(expression: str) -> bool:
    """Whether an expression can be kept to with allowed licences alone: one side of an OR, both sides of an AND."""
    tokens = TOKENS.findall(expression)
    try:
        allowed = _either(tokens)
    except IndexError:
        return False
    return allowed and not tokens


def _either(tokens: list[str]) -> bool:
    allowed = _both(tokens)
    while tokens and tokens[0].upper() == "OR":
        del tokens[0]
        allowed = _both(tokens) or allowed
    return allowed


def _both(tokens: list[str]) -> bool:
    allowed = _one(tokens)
    while tokens and tokens[0].upper() == "AND":
        del tokens[0]
        allowed = _one(tokens) and allowed
    return allowed


def _one(tokens: list[str]) -> bool:
    word = tokens.pop(0)
    if word != "(":
        return word in ALLOWED
    allowed = _either(tokens)
    return tokens.pop(0) == ")" and allowed


def _spdx(written: str) -> str:
    return WRITTEN.get(written.lower(), written)


def _headings(distribution: Distribution) -> Iterator[str]:
    for path in distribution.files or ():
        if re.fullmatch(r"(LICEN[CS]E|COPYING)(\.\w+)?", path.name, re.IGNORECASE):
            yield _spdx(path.read_text(encoding="utf-8").strip().partition("\n")[0].strip())


if __name__ == "__main__":
    sys.exit(main())
