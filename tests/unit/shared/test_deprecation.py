"""What is told of a collection that is on its way out."""

from datetime import date
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from shared.catalog import Catalog, CollectionSettings
from shared.deprecation import Deprecation
from shared.errors import ConfigurationError
from shared.notice import NOTHING, headers_about, told_to_the_refused
from shared.problem import Problem

OLD = {"deprecated": date(2026, 11, 1), "sunset": date(2027, 5, 1), "successor": "new"}


def catalog(**tables: dict[str, Any]) -> Catalog:
    return Catalog({name: CollectionSettings.model_validate(table) for name, table in tables.items()})


def test_the_headers_are_those_of_the_rfcs() -> None:
    headers = Deprecation(date(2026, 11, 1), date(2027, 5, 1), "new").headers
    assert headers["Deprecation"] == "@1793491200"
    assert parsedate_to_datetime(headers["Sunset"]).isoformat() == "2027-05-01T00:00:00+00:00"
    assert headers["Link"] == '</v1/new>; rel="successor-version"'


def test_what_is_not_known_is_left_out() -> None:
    only = Deprecation(date(2026, 11, 1))
    assert (set(only.headers), only.note) == ({"Deprecation"}, {"since": "2026-11-01"})


def test_an_answer_about_several_collections_says_nothing_of_one_of_them() -> None:
    known = catalog(old=OLD, new={})
    assert headers_about(known, ["old", "old"])["Deprecation"]
    assert headers_about(known, ["old", "new"]) == NOTHING
    assert headers_about(known, ["new"]) == headers_about(known, ["other"]) == headers_about(known, []) == NOTHING


def test_who_is_refused_is_told_too() -> None:
    with pytest.raises(Problem) as refused, told_to_the_refused({"Deprecation": "@1"}):
        raise Problem("not_found", "gone", headers={"Watch-Cursor": "c"})
    assert refused.value.headers == {"Watch-Cursor": "c", "Deprecation": "@1"}


@pytest.mark.parametrize(
    "table", [{"sunset": date(2027, 1, 1)}, {"successor": "new"}, {**OLD, "sunset": date(2026, 1, 1)}]
)
def test_dates_that_make_no_sense_are_refused(table: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="deprecated"):
        catalog(old=table, new={})


@pytest.mark.parametrize("successor", ["old", "other"])
def test_a_successor_is_another_collection_that_is_there(successor: str) -> None:
    with pytest.raises(ConfigurationError, match="is not another collection"):
        catalog(old=OLD | {"successor": successor}, new={})
