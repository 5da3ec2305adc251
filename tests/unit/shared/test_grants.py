"""What a token grants."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.grants import ACTIONS, MOST_PATTERNS, Action, Grants
from shared.pattern import Pattern, Template
from shared.resource import Watch

TEXTS = st.text(alphabet="ab", max_size=3)
PATTERNS = st.lists(
    st.tuples(
        st.sampled_from(ACTIONS),
        st.builds(Pattern, st.sampled_from(["stocks", "bonds"]), TEXTS, st.booleans())
        | st.just(Pattern(None, "", open=True)),
    ),
    max_size=5,
)
WATCHES = st.builds(Watch, st.sampled_from(["stocks", "bonds"]), id=TEXTS) | st.builds(
    Watch, st.sampled_from(["stocks", "bonds"]), prefix=st.none() | TEXTS
)


@given(patterns=PATTERNS, action=st.sampled_from(ACTIONS), watch=WATCHES)
def test_something_is_granted_when_one_pattern_covers_it(
    patterns: list[tuple[Action, Pattern]], action: Action, watch: Watch
) -> None:
    naive = any(given_action == action and pattern.covers(watch) for given_action, pattern in patterns)
    assert Grants(patterns).cover(action, watch) == naive


@pytest.mark.parametrize(
    ("claims", "granted"),
    [
        ({"scope": "openid watch:stocks/* publish:chats/42"}, True),
        ({"scope": "watch:stocks"}, True),
        ({"scope": "watch:*"}, True),
        ({"scope": "watch:bonds/* publish:stocks/*"}, False),
        ({"scope": "stocks/* watch watch: watch:/ WATCH:stocks/*"}, False),
        ({"scope": ["watch:stocks/*"]}, False),
        ({"scope": None}, False),
        ({}, False),
        ({"authorization_details": [{"type": "watchroute", "actions": ["watch"], "resources": ["stocks/*"]}]}, True),
        ({"authorization_details": [{"type": "other", "actions": ["watch"], "resources": ["stocks/*"]}]}, False),
        ({"authorization_details": [{"type": "watchroute", "actions": ["publish"], "resources": ["stocks/*"]}]}, False),
        ({"authorization_details": [{"type": "watchroute", "actions": "watch", "resources": "stocks/*"}]}, False),
        ({"authorization_details": {"type": "watchroute"}}, False),
        ({"authorization_details": [None, 7, {"type": "watchroute", "actions": ["watch"], "resources": [7]}]}, False),
    ],
)
def test_claims_grant_what_they_say_and_nothing_else(claims: dict[str, object], granted: bool) -> None:  # noqa: FBT001 -- a row
    grants = Grants.of_token(claims)
    assert grants.cover("watch", Watch("stocks")) == granted


def test_the_configuration_adds_what_is_everybodys_own() -> None:
    own: list[tuple[Action, Template]] = [
        ("watch", Template.parse("inbox/{sub}")),
        ("publish", Template.parse("notes/{sub}/*")),
    ]
    grants = Grants.of_token({"sub": "ann"}, own)
    assert grants.cover("watch", Watch("inbox", "ann"))
    assert not grants.cover("watch", Watch("inbox", "bob"))
    assert not grants.cover("publish", Watch("inbox", "ann"))
    assert grants.cover("publish", Watch("notes", "ann/1"))
    assert not Grants.of_token({}, own).cover("watch", Watch("inbox", ""))


def test_a_token_has_so_many_patterns_at_the_most_and_asking_stays_cheap() -> None:
    scope = " ".join(f"watch:stocks/{number:04}{'x' * 400}*" for number in range(2 * MOST_PATTERNS))
    grants = Grants.of_token({"scope": scope})
    covered = [grants.cover("watch", Watch("stocks", f"{number:04}{'x' * 400}")) for number in (0, MOST_PATTERNS)]
    assert covered == [True, False]
    began = time.perf_counter()
    assert not grants.cover("watch", Watch("stocks", "y" * 512))
    assert time.perf_counter() - began < 0.05
