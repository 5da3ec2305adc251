import json

import pytest

from watchroute_client import WatchError

DOCUMENT = {"Content-Type": "application/problem+json"}


@pytest.mark.parametrize(("text", "after_s"), [("7", 7.0), ("", None), ("³", None), ("-1", None), ("soon", None)])
def test_a_wait_is_heeded_where_it_is_a_number(text: str, after_s: float | None) -> None:
    body = json.dumps({"code": "not_ready", "detail": "still catching up"}).encode()
    error = WatchError.of_answer(503, {**DOCUMENT, "Retry-After": text}, body)
    assert (error.retry_after_s, error.code, error.status) == (after_s, "not_ready", 503)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"<html>"])
@pytest.mark.parametrize("headers", [{}, DOCUMENT])
def test_an_answer_of_something_between_has_no_code(body: bytes, headers: dict[str, str]) -> None:
    error = WatchError.of_answer(502, headers, body)
    assert (error.code, error.detail) == ("", "HTTP 502")


def test_who_was_too_slow_finds_the_cursor_in_the_close() -> None:
    assert WatchError.of_close(4008, "c7").cursor == "c7"
    assert WatchError.of_close(1012, "going_away").cursor is None


def test_a_frame_may_say_when_to_try_again() -> None:
    assert WatchError.of_frame({"code": "rate_limited", "retry_in_ms": 1500}).retry_after_s == 1.5
