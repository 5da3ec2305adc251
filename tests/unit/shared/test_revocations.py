"""Whom the control topic concerns."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.grants import Grants
from shared.principal import Principal
from shared.revocations import Revocation, RevocationMistake, Revocations


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


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (None, b"{}"),
        (b"", b"{}"),
        (b"\xff", b"{}"),
        (b"sub:ann", b""),
        (b"sub:ann", b"{"),
        (b"sub:ann", b"\xff"),
        (b"sub:ann", b'{"revoked_before":NaN}'),
        (b"sub:ann", b'{"revoked_before":1e999}'),
        (b"sub:ann", b"[" * 5000),
        (b"jti:7", b"null"),
    ],
)
def test_a_record_that_cannot_be_read_is_a_mistake_and_changes_nothing(key: bytes | None, value: bytes) -> None:
    found = revoked(("sub:ann", {"revoked_before": 5}), ("jti:7", {}))
    with pytest.raises(RevocationMistake):
        found.take(key, value)
    assert [each.key for each in found] == ["sub:ann", "jti:7"]


def test_a_record_without_a_value_takes_a_revocation_back() -> None:
    found = Revocations()
    assert found.take(b"sub:ann", b'{"revoked_before":101.5,"why":"left"}') == Revocation("sub", "ann", 101.5)
    assert found.take("jti:ü".encode(), b"{}") == Revocation("jti", "ü")
    assert found.take(b"sub:ann", None) is None
    assert list(found) == [Revocation("jti", "ü")]


def test_beyond_the_most_the_one_that_was_written_longest_ago_is_let_go() -> None:
    found = Revocations(most=2)
    for key in ("jti:1", "jti:2", "sub:ann", "jti:1", "sub:bob"):
        found.apply(key, {"revoked_before": 1})
    assert (len(found), found.let_go) == (4, 0)
    found.apply("jti:3", {})
    assert [each.key for each in found] == ["sub:ann", "sub:bob", "jti:1", "jti:3"]
    assert found.let_go == 1


@given(st.lists(st.tuples(st.sampled_from(["jti:1", "jti:2", "jti:3", "jti:4", "sub:1", "sub:2"]), st.booleans())))
def test_all_who_read_what_compaction_has_left_hold_the_same(records: list[tuple[str, bool]]) -> None:
    """With room for all: what is let go comes back for who reads anew only if something was taken back."""
    whole, compacted = Revocations(), Revocations()
    newest = {key: place for place, (key, _) in enumerate(records)}
    for place, (key, holds) in enumerate(records):
        value = {"revoked_before": place} if holds else None
        whole.apply(key, value)
        if newest[key] == place:
            compacted.apply(key, value)
    assert list(whole) == list(compacted)
