"""The control frames, as the protocol shows them."""

from services.pushserver import frames
from shared.problem import Problem


def test_synced_echoes_the_ref_where_there_is_one() -> None:
    assert frames.synced("stocks", "c", resumed=False) == {
        "event": "synced", "watch": "stocks", "cursor": "c", "resumed": False
    }  # fmt: skip
    assert frames.synced("stocks", "c", resumed=True, ref=0)["ref"] == 0


def test_reset_says_why() -> None:
    assert frames.reset("stocks", "expired") == {"event": "reset", "watch": "stocks", "reason": "expired"}


def test_bookmark_has_the_age_of_the_server_where_something_is_watched() -> None:
    assert frames.bookmark("c", 1_700_000_000_123, 4) == {
        "event": "bookmark", "cursor": "c", "as_of": "2023-11-14T22:13:20.123Z", "skipped": 4
    }  # fmt: skip
    assert frames.bookmark(None, None, 0)["as_of"] is None


def test_goaway_says_when_to_come_back() -> None:
    assert frames.goaway("c", 42) == {"event": "goaway", "cursor": "c", "reconnect_in_ms": 42}


def test_a_problem_has_its_members_and_says_whether_to_retry() -> None:
    told = frames.problem(Problem("expired", "too old", watch="stocks", cursor="c"), ref="r")
    assert told == {
        "event": "problem", "code": "expired", "message": "too old", "retry": True,
        "watch": "stocks", "cursor": "c", "ref": "r",
    }  # fmt: skip
    assert frames.problem(Problem("forbidden", "no"))["retry"] is False


def test_acks_and_pongs_echo_the_ref() -> None:
    assert frames.ack(1, watch="stocks") == {"event": "ack", "watch": "stocks", "ref": 1}
    assert frames.pong("p") == {"event": "pong", "ref": "p"}
    assert frames.pong(None) == {"event": "pong"}
