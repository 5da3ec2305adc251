"""Whom the control topic concerns."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.grants import Grants
from shared.principal import Principal
from shared.revocations import RevocationMistake, Revocations


def principal(sub: str = "ann", issued_at: float | None = 100.0, jti: str | None = "7") -> Principal:
    return Principal(sub, 1e12, Grants([]), issued_at, jti)


def revoked(*records: tuple[str, Any]) -> Revocations:
    found = Revocations()
    for key, value in records:
        found.apply(key, value)
    return found


@pytest.mark.parametrize(
    ("record", "concerned"),
    [
        (("sub:ann", {"revoked_before": 101}), True),
        (("sub:ann", {"revoked_before": 100}), False),
        (("sub:bob", {"revoked_before": 101}), False),
        (("jti:7", {}), True),
        (("jti:8", {}), False),
        (("sub:7", {"revoked_before": 101}), False),
        (("jti:ann", {}), False),
    ],
)
def test_a_revocation_is_about_older_tokens_of_somebody_or_about_one(record: tuple[str, Any], concerned: bool) -> None:  # noqa: FBT001 -- a row
    assert revoked(record).revoked(principal()) == concerned


def test_a_token_that_does_not_say_when_it_was_issued_was_issued_before() -> None:
    assert revoked(("sub:ann", {"revoked_before": 1})).revoked(principal(issued_at=None))


def test_a_token_without_an_id_has_none_that_could_be_revoked() -> None:
    assert not revoked(("jti:7", {})).revoked(principal(jti=None))


def test_the_newest_about_somebody_counts_and_may_take_it_back() -> None:
    found = revoked(("sub:ann", {"revoked_before": 101}), ("sub:ann", {"revoked_before": 50}), ("jti:7", {}))
    assert len(found) == 2
    assert found.revoked(principal())
    assert found.apply("jti:7", None) is None
    assert not found.revoked(principal())
    assert found.apply("jti:never", None) is None


def test_a_record_says_itself_what_it_revokes() -> None:
    told = Revocations().apply("sub:a:b", {"revoked_before": 5.5})
    assert told
    assert (told.key, told.concerns(principal("a:b", 5.4)), told.concerns(principal("a", 5.4))) == (
        "sub:a:b",
        True,
        False,
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("", {}),
        ("ann", {"revoked_before": 1}),
        ("sub:", {"revoked_before": 1}),
        ("user:ann", {"revoked_before": 1}),
        ("sub:" + "x" * 513, {"revoked_before": 1}),
        ("sub:ann", {}),
        ("sub:ann", {"revoked_before": "1"}),
        ("sub:ann", {"revoked_before": True}),
        ("sub:ann", []),
        ("jti:7", "yes"),
    ],
)
def test_what_says_nothing_is_a_mistake_and_changes_nothing(key: str, value: Any) -> None:
    found = Revocations()
    with pytest.raises(RevocationMistake):
        found.apply(key, value)
    assert len(found) == 0


@given(
    key=st.text(max_size=20),
    value=st.none() | st.integers() | st.text() | st.dictionaries(st.just("revoked_before"), st.floats()),
)
def test_any_record_is_taken_or_refused(key: str, value: Any) -> None:
    found = Revocations()
    try:
        found.apply(key, value)
    except RevocationMistake:
        assert len(found) == 0
