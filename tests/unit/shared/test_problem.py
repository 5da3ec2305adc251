"""Problems and the table of codes."""

import orjson
import pytest

from shared.problem import KINDS, MEDIA_TYPE, Problem


@pytest.mark.parametrize("code", KINDS)
def test_every_code_makes_a_complete_document(code: str) -> None:
    problem = Problem(code, "because")
    document = orjson.loads(problem.body())
    assert set(document) == {"type", "title", "status", "detail", "code"}
    assert (document["status"], document["detail"]) == (KINDS[code].status, "because")
    assert problem.response_headers()["Content-Type"] == MEDIA_TYPE
    assert problem.response_headers()["Cache-Control"] == "no-store"


@pytest.mark.parametrize("code", [code for code, kind in KINDS.items() if kind.status in {429, 503}])
def test_whoever_may_come_back_is_told_when(code: str) -> None:
    assert int(Problem(code, "").response_headers()["Retry-After"]) >= 1


@pytest.mark.parametrize("code", [code for code, kind in KINDS.items() if kind.status not in {429, 503}])
def test_nobody_else_is_told_to_come_back(code: str) -> None:
    assert "Retry-After" not in Problem(code, "").response_headers()


def test_the_ranges_of_close_codes_are_ours_or_those_of_the_standard() -> None:
    for kind in KINDS.values():
        assert kind.close == 0 or kind.close in {1009, 1011, 1012, 1013} or 4000 <= kind.close < 5000


def test_data_that_is_refused_is_shown_as_invalid_with_its_own_status() -> None:
    problem = Problem("invalid_data", "no", errors=["a: b"])
    assert (problem.code, problem.status) == ("invalid", 422)
    assert problem.document()["errors"] == ["a: b"]


def test_headers_of_a_problem_are_sent_besides() -> None:
    assert Problem("method_not_allowed", "", headers={"Allow": "GET"}).response_headers()["Allow"] == "GET"


def test_a_code_that_is_not_in_the_table_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        Problem("made_up", "")
