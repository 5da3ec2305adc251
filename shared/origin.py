"""Which web pages may talk to us: the allow-list that upgrades and CORS are checked against."""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

_WRITTEN: Final = re.compile(
    r"(https?)://(\*\.)?([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?"
)
_PORTS: Final = {"http": 80, "https": 443}


class OriginMistake(ValueError):
    """It can't be an origin; the message says why."""


class Origins:
    """`https://app.example` is that origin, `https://*.example` every subdomain of it (not itself), `*` everything.

    A scheme's own port need not be written; a host's case doesn't matter; `null` is nobody's origin, and never allowed
    but by `*`.
    """

    def __init__(self, written: Iterable[str]) -> None:
        self._everybody = False
        self._exact: set[tuple[str, str, int]] = set()
        self._suffixes: set[tuple[str, str, int]] = set()
        for each in written:
            self._add(each)

    def __bool__(self) -> bool:
        return self._everybody or bool(self._exact) or bool(self._suffixes)

    def allow(self, origin: str) -> bool:
        """Whether a request with this `Origin` may be answered; what isn't an origin may not."""
        if self._everybody:
            return True
        found = _WRITTEN.fullmatch(origin)
        if found is None or found[2]:
            return False
        scheme, host, port = _parts(found)
        if (scheme, host, port) in self._exact:
            return True
        labels = host.split(".")
        return any((scheme, ".".join(labels[at:]), port) in self._suffixes for at in range(1, len(labels)))

    def _add(self, written: str) -> None:
        if written == "*":
            self._everybody = True
            return
        found = _WRITTEN.fullmatch(written)
        if found is None:
            raise OriginMistake(f"{written[:100]!r} is no origin: https://app.example, or https://*.example")
        (self._suffixes if found[2] else self._exact).add(_parts(found))


def _parts(found: re.Match[str]) -> tuple[str, str, int]:
    return found[1], found[3].lower(), int(found[4] or _PORTS[found[1]])


def same_origin(origin: str, scheme: str, host: str) -> bool:
    """Whether a page of that origin was served under the `Host` (with its port, if any) that it now asks."""
    page, asked = urlsplit(origin), urlsplit(f"{scheme}://{host}")
    try:
        return (page.scheme, page.hostname, page.port or _PORTS.get(page.scheme)) == (
            scheme,
            asked.hostname,
            asked.port or _PORTS.get(scheme),
        )
    except ValueError:
        return False
