"""The catalogue of collections."""

import pytest

from shared.catalog import Catalog, CollectionSettings
from shared.cursor import collection_tag
from shared.errors import ConfigurationError
from shared.problem import Problem


def test_a_collection_is_found_by_its_name() -> None:
    catalog = Catalog({"stocks": CollectionSettings(), "news": CollectionSettings(topic="feed")})
    assert [collection.name for collection in catalog] == ["stocks", "news"]
    assert len(catalog) == 2
    assert (catalog.get("stocks").topic, catalog.get("news").topic) == ("stocks", "feed")
    assert catalog.get("news").tag == collection_tag("news")


def test_a_collection_that_is_not_there_is_a_problem() -> None:
    with pytest.raises(Problem) as unknown:
        Catalog({}).get("x" * 1000)
    assert (unknown.value.code, unknown.value.status) == ("not_found", 404)
    assert len(unknown.value.detail) < 200


def test_all_mistakes_are_reported_at_once() -> None:
    names = ("watch", "a/b", "one", "two")
    with pytest.raises(ConfigurationError) as wrong:
        Catalog({name: CollectionSettings(topic="same" if name in {"one", "two"} else None) for name in names})
    assert len(wrong.value.mistakes) == 3
    assert "watch" in wrong.value.mistakes[0]
    assert "two" in wrong.value.mistakes[2]


def test_two_names_whose_cursors_look_alike_are_refused() -> None:
    seen: dict[bytes, str] = {}
    for number in range(100_000):
        name = f"c{number}"
        other = seen.setdefault(collection_tag(name), name)
        if other != name:
            break
    else:
        pytest.skip("no two of a hundred thousand names look alike")
    with pytest.raises(ConfigurationError, match="cursors"):
        Catalog({other: CollectionSettings(), name: CollectionSettings()})


@pytest.mark.parametrize(
    ("settings", "holds", "keeps"),
    [
        (CollectionSettings(), True, False),
        (CollectionSettings(modes=("state", "log")), True, True),
        (CollectionSettings(state="none"), False, True),
        (CollectionSettings(modes=("log",), state="none"), False, True),
    ],
)
def test_what_is_kept_follows_from_the_modes(settings: CollectionSettings, *, holds: bool, keeps: bool) -> None:
    collection = Catalog({"c": settings}).get("c")
    assert (collection.holds_state, collection.keeps_history) == (holds, keeps)
