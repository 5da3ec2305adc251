"""Patterns: what they are, what they cover, and what claims may make of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.pattern import Pattern, PatternMistake, Template
from shared.resource import Watch

IDS = st.text(alphabet="ab/*{}%? é", min_size=1, max_size=6).filter(lambda text: text not in {".", ".."})


@pytest.mark.parametrize(
    ("written", "pattern"),
    [
        ("*", Pattern(None, "", open=True)),
        ("stocks", Pattern("stocks", "", open=True)),
        ("stocks/*", Pattern("stocks", "", open=True)),
        ("stocks/A*", Pattern("stocks", "A", open=True)),
        ("stocks/AAPL", Pattern("stocks", "AAPL", open=False)),
        ("rooms/a/b", Pattern("rooms", "a/b", open=False)),
        ("rooms/a%20b", Pattern("rooms", "a b", open=False)),
        ("rooms/a%2A", Pattern("rooms", "a*", open=False)),
        ("rooms/a*b", Pattern("rooms", "a*b", open=False)),
        ("rooms/{sub}", Pattern("rooms", "{sub}", open=False)),
    ],
)
def test_a_pattern_is_read(written: str, pattern: Pattern) -> None:
    assert Pattern.parse(written) == pattern


@pytest.mark.parametrize(
    "written",
    ["", "/", "/a", "*/a", "stocks/", "st ocks/a", "watch/a", "stocks/%00*", "stocks/%ff", "stocks/" + "x" * 513],
)
def test_what_is_none_is_refused(written: str) -> None:
    with pytest.raises(PatternMistake):
        Pattern.parse(written)


@given(prefix=st.text(alphabet="ab", max_size=3), resource_id=IDS)
def test_an_open_pattern_covers_what_begins_with_it(prefix: str, resource_id: str) -> None:
    pattern = Pattern("stocks", prefix, open=True)
    assert pattern.covers(Watch("stocks", resource_id)) == resource_id.startswith(prefix)
    assert not pattern.covers(Watch("bonds", resource_id))


@given(
    text=st.text(alphabet="ab", max_size=3), is_open=st.booleans(), prefix=st.text(alphabet="ab", max_size=3), tail=IDS
)
def test_what_covers_a_prefix_covers_each_id_under_it(text: str, is_open: bool, prefix: str, tail: str) -> None:  # noqa: FBT001 -- drawn
    pattern = Pattern("stocks", text, is_open)
    if pattern.covers(Watch("stocks", prefix=prefix)):
        assert pattern.covers(Watch("stocks", prefix + tail))


@given(resource_id=IDS)
def test_one_resource_is_covered_by_itself_only(resource_id: str) -> None:
    pattern = Pattern("stocks", resource_id, open=False)
    assert pattern.covers(Watch("stocks", resource_id))
    assert not pattern.covers(Watch("stocks", resource_id + "x"))
    assert not pattern.covers(Watch("stocks", prefix=resource_id))
    assert not pattern.covers(Watch("stocks"))


@pytest.mark.parametrize(
    ("written", "claims", "filled"),
    [
        ("inbox/{sub}", {"sub": "ann"}, Pattern("inbox", "ann", open=False)),
        ("inbox/{sub}", {"sub": "a/b"}, Pattern("inbox", "a/b", open=False)),
        ("inbox/{sub}", {"sub": "*"}, Pattern("inbox", "*", open=False)),
        ("inbox/{sub}/*", {"sub": "ann"}, Pattern("inbox", "ann/", open=True)),
        ("inbox/{sub}/*", {"sub": "*"}, Pattern("inbox", "*/", open=True)),
        ("inbox/{sub}/*", {"sub": "{tenant}", "tenant": "t"}, Pattern("inbox", "{tenant}/", open=True)),
        ("rooms/{tenant}/{sub}", {"tenant": "t", "sub": "s"}, Pattern("rooms", "t/s", open=False)),
        ("public/*", {}, Pattern("public", "", open=True)),
        ("*", {}, Pattern(None, "", open=True)),
        ("inbox", {}, Pattern("inbox", "", open=True)),
    ],
)
def test_claims_are_put_in_as_they_are(written: str, claims: dict[str, str], filled: Pattern) -> None:
    assert Template.parse(written).fill(claims) == filled


@pytest.mark.parametrize(
    ("written", "claims"),
    [
        ("inbox/{sub}", {}),
        ("inbox/{sub}", {"sub": ""}),
        ("inbox/{sub}", {"sub": 7}),
        ("inbox/{sub}", {"sub": ["ann"]}),
        ("inbox/{sub}", {"sub": ".."}),
        ("inbox/{sub}", {"sub": "a\0"}),
        ("inbox/{sub}", {"sub": "x" * 513}),
        ("inbox/{sub}/*", {"sub": "a/b"}),
        ("inbox/{sub}:{tenant}:*", {"sub": "a:b", "tenant": "t"}),
    ],
)
def test_a_claim_that_is_missing_or_would_widen_it_grants_nothing(written: str, claims: dict[str, object]) -> None:
    assert Template.parse(written).fill(claims) is None


@pytest.mark.parametrize("written", ["inbox/{sub}*", "{sub}/a", "inbox/"])
def test_what_would_be_wide_by_mistake_is_refused(written: str) -> None:
    with pytest.raises(PatternMistake):
        Template.parse(written)


@given(
    sub=st.text(alphabet="ab/*", min_size=1, max_size=4),
    other=st.text(alphabet="ab/*", min_size=1, max_size=4),
    rest=IDS,
)
def test_nobody_sees_what_is_under_the_claim_of_another(sub: str, other: str, rest: str) -> None:
    mine, theirs = (Template.parse("inbox/{sub}/*").fill({"sub": claim}) for claim in (sub, other))
    if mine and theirs and sub != other:
        assert not mine.covers(Watch("inbox", f"{other}/{rest}"))
