"""What somebody may watch and publish: the one matcher that snapshot, resume, live, listing, poll and publish ask."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, Self, get_args

from shared.pattern import Pattern, PatternMistake, Template
from shared.resource import Watch, Within

Action = Literal["watch", "publish"]
ACTIONS: Final[tuple[Action, ...]] = get_args(Action)
DETAILS_TYPE: Final = "watchroute"
"""The `type` of our authorization details (RFC 9396)."""
MOST_PATTERNS: Final = 1000
"""Of one token: a head of 8 KB has fewer, and a matcher that is asked often should not be given more."""


class Grants:
    """Immutable. To ask takes time linear in the patterns of that collection and in what is asked for."""

    def __init__(self, patterns: Iterable[tuple[Action, Pattern]]) -> None:
        self._exact: dict[tuple[Action, str], frozenset[str]] = {}
        self._open: dict[tuple[Action, str | None], tuple[str, ...]] = {}
        exact: dict[tuple[Action, str], set[str]] = {}
        prefixes: dict[tuple[Action, str | None], set[str]] = {}
        for action, pattern in patterns:
            if pattern.open or pattern.collection is None:
                prefixes.setdefault((action, pattern.collection), set()).add(pattern.text)
            else:
                exact.setdefault((action, pattern.collection), set()).add(pattern.text)
        self._exact = {key: frozenset(ids) for key, ids in exact.items()}
        self._open = {key: tuple(sorted(texts, key=len)) for key, texts in prefixes.items()}

    @classmethod
    def of_token(cls, claims: Mapping[str, Any], own: Sequence[tuple[Action, Template]] = ()) -> Self:
        """What the claims of a verified token grant: `scope`, `authorization_details`, and what the configuration adds.

        What isn't understood grants nothing, and takes nothing away: a token has scopes for others too.
        """
        written = [*_of_scope(claims.get("scope")), *_of_details(claims.get("authorization_details"))]
        patterns = [(action, found) for action, text in written[:MOST_PATTERNS] if (found := _parsed(text))]
        filled = [(action, found) for action, template in own if (found := template.fill(claims))]
        return cls([*patterns, *filled])

    def cover(self, action: Action, watch: Watch) -> bool:
        """Whether all that such a watch can show, or (`publish`) such a resource, is granted."""
        if watch.id is not None and watch.id in self._exact.get((action, watch.collection), ()):
            return True
        asked = watch.id if watch.id is not None else watch.prefix or ""
        return any(
            asked.startswith(text) for key in (watch.collection, None) for text in self._open.get((action, key), ())
        )

    def part(self, action: Action, watch: Watch) -> Within | None:
        """What is granted of what such a watch of several resources can show; None when nothing is."""
        asked = watch.prefix or ""
        ids = [each for each in self._exact.get((action, watch.collection), ()) if each.startswith(asked)]
        prefixes = [text for text in self._open.get((action, watch.collection), ()) if text.startswith(asked)]
        return Within.of(ids, prefixes) if ids or prefixes else None

    def some(self, action: Action, collection: str | None = None) -> bool:
        """Whether anything of a collection, or anything at all, is granted."""
        if collection is None:
            return any(granted == action for granted, _ in (*self._exact, *self._open))
        return (action, collection) in self._exact or any((action, key) in self._open for key in (collection, None))


def _parsed(text: str) -> Pattern | None:
    try:
        return Pattern.parse(text)
    except PatternMistake:
        return None


def _of_scope(scope: Any) -> Iterable[tuple[Action, str]]:
    """`watch:stocks/* publish:chats/42` (RFC 8693, 4.2: a string of words)."""
    words = scope.split(" ") if isinstance(scope, str) else ()
    for word in words:
        for action in ACTIONS:
            if word.startswith(f"{action}:"):
                yield action, word.removeprefix(f"{action}:")


def _of_details(details: Any) -> Iterable[tuple[Action, str]]:
    """`[{"type": "watchroute", "actions": ["watch"], "resources": ["stocks/*"]}]` (RFC 9396)."""
    for detail in details if isinstance(details, list) else ():
        if not isinstance(detail, dict) or detail.get("type") != DETAILS_TYPE:
            continue
        actions, resources = detail.get("actions"), detail.get("resources")
        if not isinstance(actions, list) or not isinstance(resources, list):
            continue
        for action in ACTIONS:
            if action in actions:
                yield from ((action, resource) for resource in resources if isinstance(resource, str))
