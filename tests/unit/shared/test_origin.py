"""Which pages may talk to us."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.origin import OriginMistake, Origins, same_origin

LIST = Origins(["https://app.example", "https://*.example.org", "http://localhost:3000", "https://[::1]:8443"])


@pytest.mark.parametrize(
    "origin",
    [
        "https://app.example",
        "https://app.example:443",
        "https://APP.example",
        "https://a.example.org",
        "https://a.b.example.org",
        "http://localhost:3000",
        "https://[::1]:8443",
    ],
)
def test_what_is_listed_is_allowed(origin: str) -> None:
    assert LIST.allow(origin)


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "null",
        "*",
        "http://app.example",
        "https://app.example:8443",
        "https://app.example.evil.example",
        "https://evil-app.example",
        "https://example.org",
        "https://evilexample.org",
        "https://*.example.org",
        "https://a.example.org.evil.example",
        "https://app.example/",
        "https://app.example/path",
        "https://user@app.example",
        "https://app.example#",
        "https://app.example\n",
        " https://app.example",
        "https://app.example https://evil.example",
        "http://localhost",
        "http://localhost:3001",
    ],
)
def test_nothing_else_is(origin: str) -> None:
    assert not LIST.allow(origin)


def test_everybody_may_where_that_is_written() -> None:
    assert Origins(["*"]).allow("null")
    assert Origins(["*"]).allow("https://anything.example")
    assert not Origins([]).allow("https://anything.example")


@pytest.mark.parametrize(
    "written", ["", "app.example", "https://", "https://*", "https://a.*.example", "https://app.example/", "ftp://a"]
)
def test_what_can_be_no_origin_is_a_mistake(written: str) -> None:
    with pytest.raises(OriginMistake):
        Origins([written])


@given(st.text(max_size=60))
def test_any_text_is_answered(origin: str) -> None:
    assert LIST.allow(origin) in {True, False}
    assert same_origin(origin, "https", "localhost") in {True, False}


@pytest.mark.parametrize(
    ("origin", "scheme", "host", "same"),
    [
        ("https://a.example", "https", "a.example", True),
        ("https://a.example", "https", "a.example:443", True),
        ("https://a.example:8443", "https", "a.example:8443", True),
        ("https://A.example", "https", "a.EXAMPLE", True),
        ("http://a.example", "https", "a.example", False),
        ("https://a.example", "https", "b.example", False),
        ("https://a.example", "https", "a.example:8443", False),
        ("null", "https", "a.example", False),
        ("https://a.example:x", "https", "a.example", False),
    ],
)
def test_a_page_may_ask_where_it_came_from(origin: str, scheme: str, host: str, same: bool) -> None:  # noqa: FBT001 -- a row
    assert same_origin(origin, scheme, host) == same
