"""Whom a request speaks for, and what that one may see and do."""

from dataclasses import dataclass
from math import inf
from typing import Final

from shared.grants import ACTIONS, Action, Grants
from shared.pattern import Pattern
from shared.problem import Problem
from shared.resource import Watch

CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}
INVALID_TOKEN: Final = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


@dataclass(frozen=True)
class Principal:
    """Whom a token speaks for, until when (seconds since 1970), and what it grants.

    `sub` is empty for who showed no token. `hides`: what isn't granted looks as if it weren't there. `narrows`: a watch
    of several resources that is granted in part is a watch of that part.
    """

    sub: str
    expires_at: float
    grants: Grants
    issued_at: float | None = None
    jti: str | None = None
    hides: bool = False
    narrows: bool = False

    def watched(self, watch: Watch) -> Watch:
        """The watch that is had for the asking: itself, or (`narrows`) what is granted of it; raises Problem."""
        asked = watch.asked
        if self.narrows and asked.id is None and not self.grants.cover("watch", asked):
            part = self.grants.part("watch", asked)
            if part is not None:
                return asked._replace(within=part)
        self.require("watch", asked)
        return asked

    def require(self, action: Action, watch: Watch) -> None:
        """Raise Problem unless all that such a watch can show (`publish`: such a resource) is granted.

        To be asked before whether there is such a collection: who isn't allowed doesn't learn it.
        """
        if self.grants.cover(action, watch):
            return
        self._require_token()
        if self.hides and not self.grants.cover("watch", watch):
            shown = watch.label if watch.narrow else f"collection {watch.collection[:100]!r}"
            raise Problem("not_found", f"there is no {shown}")
        raise Problem("forbidden", f"the token doesn't grant {action}:{watch.label}")

    def require_any(self, action: Action) -> None:
        """Raise Problem when nothing at all is granted."""
        if not self.grants.some(action):
            self._require_token()
            raise Problem("forbidden", f"the token grants nothing to {action}")

    def _require_token(self) -> None:
        if not self.sub:
            raise Problem("unauthenticated", "show a token to come in here", headers=CHALLENGE)


EVERYBODY: Final = Principal("", inf, Grants((action, Pattern.parse("*")) for action in ACTIONS))
"""Whoever comes, where nobody is asked for a token."""
