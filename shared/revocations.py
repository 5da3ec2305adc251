"""Tokens that are good no more: what the control topic says, and whom it concerns."""

from collections.abc import Iterator
from typing import Any, Final, Literal, NamedTuple

import orjson

from shared.principal import Principal

LONGEST_NAME: Final = 512
MOST: Final = 100_000
"""Of each kind: about 30 MB, and more logouts than tokens of a few minutes leave any use for."""
Kind = Literal["sub", "jti"]


class RevocationMistake(ValueError):
    """A record of the control topic that says nothing; the message says why."""


class Revocation(NamedTuple):
    """Every token of a `sub` that was issued before a moment (seconds since 1970), or the one token of a `jti`."""

    kind: Kind
    name: str
    before_s: float = float("inf")

    @property
    def key(self) -> str:
        """The key of its record: the newest one about somebody counts."""
        return f"{self.kind}:{self.name}"

    def concerns(self, principal: Principal) -> bool:
        """Whether it is about this token. One that doesn't say when it was issued was issued before."""
        if self.kind == "jti":
            return principal.jti == self.name
        return principal.sub == self.name and (principal.issued_at or float("-inf")) < self.before_s


class Revocations:
    """All that hold now, by whom they are about: to ask costs two look-ups.

    Beyond `most` of a kind the one that was written longest ago is let go, and counted in `let_go`: nothing says how
    long a token may live, so none is known to be of no use any more. All who read the same records let go the same.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._subs: dict[str, Revocation] = {}
        self._jtis: dict[str, Revocation] = {}
        self.let_go = 0

    def __len__(self) -> int:
        return len(self._subs) + len(self._jtis)

    def __iter__(self) -> Iterator[Revocation]:
        yield from self._subs.values()
        yield from self._jtis.values()

    def take(self, key: bytes | None, value: bytes | None) -> Revocation | None:
        """Take a record in as Kafka has it; see `apply`."""
        try:
            name = (key or b"").decode()
            content = None if value is None else orjson.loads(value)
        except UnicodeDecodeError:
            raise RevocationMistake("the key is UTF-8") from None
        except orjson.JSONDecodeError:
            raise RevocationMistake("the value is JSON") from None
        if value is not None and content is None:
            raise RevocationMistake("the value is an object; a record without one takes a revocation back")
        return self.apply(name, content)

    def apply(self, key: str, value: Any) -> Revocation | None:
        """Take a record in: what it revokes, or None when it takes a revocation back. Raises RevocationMistake."""
        kind, name = _kind_of(key)
        held = self._subs if kind == "sub" else self._jtis
        revocation = None if value is None else Revocation(kind, name, _before(kind, value))
        held.pop(name, None)
        if revocation is not None:
            held[name] = revocation
            self._mind_room(held)
        return revocation

    def revoked(self, principal: Principal) -> bool:
        """Whether a token is good no more."""
        # Written out: it is asked of every connection.
        of_sub = self._subs.get(principal.sub)
        if of_sub is not None and of_sub.concerns(principal):
            return True
        return principal.jti is not None and principal.jti in self._jtis

    def _mind_room(self, held: dict[str, Revocation]) -> None:
        if len(held) > self._most:
            del held[next(iter(held))]
            self.let_go += 1


def _kind_of(key: str) -> tuple[Kind, str]:
    kind, mark, name = key.partition(":")
    if not mark or not name or len(name) > LONGEST_NAME:
        raise RevocationMistake("the key is `sub:NAME` or `jti:NAME`")
    if kind == "sub":
        return "sub", name
    if kind == "jti":
        return "jti", name
    raise RevocationMistake("the key is `sub:NAME` or `jti:NAME`")


def _before(kind: Kind, value: Any) -> float:
    if not isinstance(value, dict):
        raise RevocationMistake("the value is an object")
    if kind == "jti":
        return float("inf")
    before = value.get("revoked_before")
    if isinstance(before, bool) or not isinstance(before, int | float):
        raise RevocationMistake("`revoked_before` is a number, seconds since 1970")
    return float(before)
