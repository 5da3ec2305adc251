"""Paths and what they address."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.problem import Problem
from shared.resource import Watch
from shared.target import VERBS, parse_target


@pytest.mark.parametrize(
    ("path", "watch", "verb"),
    [
        ("/v1/stocks", Watch("stocks"), ""),
        ("/v1/stocks/stream", Watch("stocks"), "stream"),
        ("/v1/stocks/AAPL", Watch("stocks", "AAPL"), ""),
        ("/v1/stocks/AAPL/ws", Watch("stocks", "AAPL"), "ws"),
        ("/v1/stocks/a%2Fb", Watch("stocks", "a/b"), ""),
        ("/v1/stocks/a%2Fb/poll", Watch("stocks", "a/b"), "poll"),
        ("/v1/stocks/%C3%A9%20%25", Watch("stocks", "é %"), ""),
        ("/v1/stocks/%2e%2e%2fx", Watch("stocks", "../x"), ""),
        ("/v1/stocks/AAPL%3Fprefix=x", Watch("stocks", "AAPL?prefix=x"), ""),
        ("/v1/stocks/a+b", Watch("stocks", "a+b"), ""),
        ("/v1/watch/ws", None, "ws"),
        ("/v1/watch/stream", None, "stream"),
    ],
)
def test_a_path_addresses_a_watch(path: str, watch: Watch | None, verb: str) -> None:
    assert parse_target(path.encode()) == (watch, verb)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/", "not_found"),
        ("/v2/stocks", "not_found"),
        ("/v1/", "not_found"),
        ("/v1//a", "not_found"),
        ("/v1/stocks/a/b", "not_found"),
        ("/v1/watch", "not_found"),
        ("/v1/watch/a", "not_found"),
        ("/v1/watch/ws/x", "not_found"),
        ("/v1/tickets", "not_found"),
        ("/v1/..", "not_found"),
        ("/v1/stocks/", "invalid"),
        ("/v1/stocks/..", "invalid"),
        ("/v1/stocks/%2E", "invalid"),
        ("/v1/stocks/%00", "invalid"),
        ("/v1/stocks/%FF", "invalid"),
        ("/v1/%FF/a", "invalid"),
        ("/v1/stocks/watch", "invalid"),
        ("/v1/stocks/stream/stream", "invalid"),
        ("/v1/stocks/" + "x" * 513, "invalid"),
    ],
)
def test_any_other_path_is_refused(path: str, code: str) -> None:
    with pytest.raises(Problem) as refused:
        parse_target(path.encode())
    assert refused.value.code == code


@given(st.binary(max_size=60))
def test_no_path_does_anything_but_address_or_be_refused(tail: bytes) -> None:
    for path in (tail, b"/v1/" + tail, b"/v1/stocks/" + tail):
        with suppress(Problem):
            watch, verb = parse_target(path)
            assert verb in {"", *VERBS}
            assert watch is None or Watch.parse(watch.label) == watch
