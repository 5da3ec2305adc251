import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from watchroute_client import WatchError

DOCUMENT = {"Content-Type": "application/problem+json"}


@pytest.mark.parametrize(("text", "after_s"), [("7", 7.0), ("", None), ("³", None), ("-1", None), ("soon", None)])
def test_a_wait_is_heeded_where_it_is_a_number(text: str, after_s: float | None) -> None:
    body = json.dumps({"code": "not_ready", "detail": "still catching up"}).encode()
    error = WatchError.of_answer(503, {**DOCUMENT, "Retry-After": text}, body)
    assert (error.retry_after_s, error.code, error.status) == (after_s, "not_ready", 503)


@pytest.mark.parametrize(
    ("text", "after_s"),
    [
        ("Sun, 06 Nov 1994 08:49:44 GMT", 7.0),
        ("Sunday, 06-Nov-94 08:49:44 GMT", 7.0),
        ("Sun Nov  6 08:49:44 1994", 7.0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", None),
        ("Sat, 05 Nov 1994 08:49:37 GMT", None),
        ("Sun, 99 Nov 1994 08:49:44 GMT", None),
    ],
)
def test_a_wait_may_be_a_date_by_the_clock_of_who_says_it(text: str, after_s: float | None) -> None:
    """In each form of RFC 9110; one that is past says nothing, so nobody comes back at once for it."""
    headers = {"Date": "Sun, 06 Nov 1994 08:49:37 GMT", "Retry-After": text}
    assert WatchError.of_answer(503, headers, b"").retry_after_s == after_s


@pytest.mark.parametrize("said_at", [{}, {"Date": "today"}])
def test_without_another_clock_a_date_is_by_the_own(said_at: dict[str, str]) -> None:
    in_an_hour = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    after_s = WatchError.of_answer(503, {**said_at, "Retry-After": in_an_hour}, b"").retry_after_s
    assert after_s is not None
    assert 3590 < after_s <= 3600


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
