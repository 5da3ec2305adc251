"""The audit's lines: their schema, and what a flood leaves of them."""

from typing import Any

from structlog.testing import capture_logs

from shared.audit import MOST_PER_S, Asker, Audit
from shared.grants import Grants
from shared.principal import Principal

ANN = Principal("ann", 2e9, Grants([]), jti="7")
SCHEMA = {"event", "log_level", "decision", "sub", "jti", "address", "resource", "request_id", "reason", "left_out"}


def lines(captured: list[Any]) -> list[dict[str, Any]]:
    return [{name: line[name] for name in SCHEMA} for line in captured]


def test_a_line_says_who_from_where_what_and_why() -> None:
    asker = Asker.of("192.0.2.7", {"x-request-id": "r1"})
    with capture_logs() as captured:
        Audit().say("refused", principal=ANN, asker=asker, resource="items/a", reason="forbidden")
    (line,) = lines(captured)
    assert line == {
        "event": "audit",
        "log_level": "info",
        "decision": "refused",
        "sub": "ann",
        "jti": "7",
        # What the client itself puts before it is not believed.
        "address": "192.0.2.7",
        "resource": "items/a",
        "request_id": "r1",
        "reason": "forbidden",
        "left_out": 0,
    }


def test_what_is_not_known_is_there_and_says_so() -> None:
    with capture_logs() as captured:
        Audit().say("refused", reason="unauthenticated")
    (line,) = lines(captured)
    assert [name for name in sorted(SCHEMA) if line[name] is None] == [
        "address",
        "jti",
        "request_id",
        "resource",
        "sub",
    ]


def test_a_flood_is_sampled_and_what_is_left_out_is_counted() -> None:
    now = 100.0
    audit = Audit(lambda: now)
    with capture_logs() as captured:
        for _ in range(MOST_PER_S + 30):
            audit.say("refused")
        audit.say("accepted")
        now += 1
        audit.say("refused")
        audit.say("refused")
    refused = [line["left_out"] for line in captured if line["decision"] == "refused"]
    assert refused == [0] * MOST_PER_S + [30, 0]
    assert [line["left_out"] for line in captured if line["decision"] == "accepted"] == [0]


def test_what_a_client_says_is_cut() -> None:
    assert len(Asker.of(None, {"x-request-id": "x" * 100_000}).request_id or "") == 256
