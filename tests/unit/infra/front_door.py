"""The variables of infra/haproxy/, their defaults, and a container that overrides some."""

import re
from collections.abc import Mapping

from tests.unit.infra.tree import INFRA

FILES = ("haproxy.cfg", "servers.dns.cfg")


def defaults() -> dict[str, str]:
    """Every variable that has a default, and that."""
    return dict(re.findall(r"^\s*presetenv (\w+) (\S+)$", _text(), flags=re.MULTILINE))


def known() -> set[str]:
    """Every variable that means something."""
    return set(re.findall(r"FRONT_[A-Z0-9_]+", _text()))


def in_force(environment: Mapping[str, object]) -> dict[str, str]:
    """The variables as HAProxy sees them."""
    return defaults() | {name: str(value) for name, value in environment.items()}


def port(bind: str) -> int:
    """The port of an address to bind to."""
    return int(bind.rpartition(":")[2])


def _text() -> str:
    return "\n".join((INFRA / "haproxy" / name).read_text(encoding="utf-8") for name in FILES)
