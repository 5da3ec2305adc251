"""Names, watches, and what belongs to them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.problem import Problem
from shared.resource import (
    MAX_ID_BYTES,
    Watch,
    checked_id,
    checked_prefix,
    decode_key,
    id_mistake,
    is_collection,
    path_of,
)
from shared.target import parse_target

IDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=60).filter(
    lambda name: name not in {".", ".."}
)
COLLECTIONS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True).filter(is_collection)
NARROW = st.sampled_from(["", "A", "AA", "AAP", "AAPL", "B", "é", "A/b"])
WATCHES = st.one_of(
    st.sampled_from(["a", "b"]).map(Watch),
    st.tuples(st.sampled_from(["a", "b"]), NARROW.filter(bool)).map(lambda named: Watch(*named)),
    st.builds(lambda c, p: Watch(c, prefix=p or None), st.sampled_from(["a", "b"]), NARROW),
)


@pytest.mark.parametrize("name", ["stocks", "a", "A.b_c-9", "0", "x" * 127])
def test_a_collection_has_letters_digits_and_a_few_marks(name: str) -> None:
    assert is_collection(name)


@pytest.mark.parametrize(
    "name", ["", "watch", "tickets", ".a", "-a", "a/b", "a b", "é", "a\n", "x" * 128, "..", "a?prefix=b"]
)
def test_anything_else_is_no_collection(name: str) -> None:
    assert not is_collection(name)


@pytest.mark.parametrize("name", ["", ".", "..", "a\0b", "\ud800", "x" * 513, "é" * 257])
def test_what_no_id_can_be_is_refused_with_a_reason(name: str) -> None:
    assert id_mistake(name)
    with pytest.raises(Problem, match="invalid"):
        checked_id(name)


@given(IDS)
def test_an_id_and_a_record_key_are_the_same_name(name: str) -> None:
    assert checked_id(name) == name
    assert decode_key(name.encode()) == name


@given(st.none() | st.binary(max_size=MAX_ID_BYTES + 10))
def test_a_key_is_an_id_or_none(key: bytes | None) -> None:
    name = decode_key(key)
    assert name is None or (id_mistake(name) is None and name.encode() == key)


@given(COLLECTIONS, IDS)
def test_a_watch_is_read_from_its_label(collection: str, name: str) -> None:
    for watch in (Watch(collection), Watch(collection, name), Watch(collection, prefix=name)):
        assert Watch.parse(watch.label) == watch
        assert watch.narrow == (watch != Watch(collection))


@pytest.mark.parametrize(
    "label", ["", "/a", "a/", "a/.", "watch/a", "watch", "a?x", "é/a", "a?prefix=" + "x" * 513, "a?prefix=\0"]
)
def test_a_label_that_names_nothing_is_refused(label: str) -> None:
    with pytest.raises(Problem) as refused:
        Watch.parse(label)
    assert refused.value.code == "invalid"


def test_a_prefix_that_covers_everything_is_none() -> None:
    assert checked_prefix("") is None
    assert Watch.parse("a?prefix=") == Watch("a")


@given(WATCHES, NARROW.filter(bool))
def test_a_watch_covers_its_id_its_prefix_or_all(watch: Watch, name: str) -> None:
    expected = name == watch.id if watch.id is not None else name.startswith(watch.prefix or "")
    assert watch.covers(name) == expected


@given(WATCHES, WATCHES)
def test_watches_overlap_when_some_resource_belongs_to_both(one: Watch, other: Watch) -> None:
    candidates = [watch.id or watch.prefix or "x" for watch in (one, other)]
    both = one.collection == other.collection and any(one.covers(name) and other.covers(name) for name in candidates)
    assert one.overlaps(other) == both
    assert other.overlaps(one) == both


@given(COLLECTIONS, IDS.filter(lambda name: name not in {"stream", "ws", "poll", "watch"}))
def test_the_path_of_a_resource_addresses_it(collection: str, name: str) -> None:
    assert parse_target(path_of(collection, name).encode()) == (Watch(collection, name), "")
