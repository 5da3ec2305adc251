"""What a refusal tells whoever watches."""

import json

import pytest

from cli.watching.arrival import trouble_of_answer
from shared.problem import MEDIA_TYPE


@pytest.mark.parametrize(("text", "after_s"), [("7", 7.0), ("", None), ("³", None), ("-1", None), ("soon", None)])
def test_a_wait_is_heeded_where_it_is_a_number(text: str, after_s: float | None) -> None:
    body = json.dumps({"code": "not_ready", "detail": "still catching up"})
    trouble = trouble_of_answer(503, {"Content-Type": MEDIA_TYPE, "Retry-After": text}, body)
    assert (trouble.after_s, trouble.retry) == (after_s, True)
