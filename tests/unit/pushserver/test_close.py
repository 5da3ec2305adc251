"""The reasons for which a connection ends."""

import pytest

from services.pushserver.close import REASONS, WS_REASON_BYTES, CloseReason
from shared.cursor import Segment, encode_cursor
from shared.problem import KINDS

MAY_BE_SENT = {1000, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013}


def test_each_reason_counts_under_a_name_of_its_own() -> None:
    assert len({reason.name for reason in REASONS}) == len(REASONS)


@pytest.mark.parametrize("reason", REASONS, ids=lambda reason: reason.name)
def test_its_code_is_one_that_a_web_socket_may_carry(reason: CloseReason) -> None:
    assert reason.code in MAY_BE_SENT or 4000 <= reason.code < 5000 or reason.name == "gone"


@pytest.mark.parametrize("reason", REASONS, ids=lambda reason: reason.name)
def test_its_problem_is_one_of_the_table_and_has_its_code(reason: CloseReason) -> None:
    if reason.problem is not None:
        assert KINDS[reason.problem].close in {0, reason.code}


@pytest.mark.parametrize(
    ("name", "code"), [("slow", 4008), ("going_away", 1012), ("invalid", 4400), ("too_large", 1009)]
)
def test_the_protocol_names_its_code(name: str, code: int) -> None:
    assert next(reason for reason in REASONS if reason.name == name).code == code


def test_a_cursor_of_a_usual_topic_fits_into_a_close_reason() -> None:
    positions = {partition: 10**9 + partition * 1000 for partition in range(12)}
    assert len(encode_cursor([Segment(b"tag", b"epoch", None, positions)])) <= WS_REASON_BYTES
