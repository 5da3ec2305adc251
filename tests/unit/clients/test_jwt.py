import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchroute_client.jwt import ends_at


def token(claims: object) -> str:
    return f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.c2ln"


def test_the_end_of_a_token_is_read() -> None:
    assert ends_at(token({"exp": 1700000000, "sub": "ann"})) == 1700000000.0


@pytest.mark.parametrize("other", [None, "", "opaque", "a.b.c", token([]), token({}), token({"exp": "soon"})])
def test_a_token_that_does_not_say_when_it_ends_is_kept(other: str | None) -> None:
    assert ends_at(other) is None


@given(st.text())
def test_no_token_breaks_it(text: str) -> None:
    ends_at(text)
    ends_at(f"x.{text}.y")
