"""The session's own checks and the schemas of operations say the same, for whatever a client may send."""

from collections.abc import Mapping
from typing import Any, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.pushserver.session import Session
from shared.contract.definitions import definitions, schema_of
from shared.schema import Schema
from tests.support.core_client import Client, hub_of
from tests.support.events import put

SCHEMA: Final = Schema(schema_of("Operation"))
KINDS: Final = ("Subscribe", "Unsubscribe", "Publish", "Auth", "Ping")
EXAMPLES: Final = [each for kind in KINDS for each in definitions()[kind]["examples"]]
SCALARS: Final[st.SearchStrategy[Any]] = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.just([])
    | st.just({})
)
LABELS: Final = st.sampled_from(
    [
        *(
            "stocks",
            "stocks/a",
            "stocks/",
            "stocks/.",
            "stocks/..",
            "stocks/...",
            "stocks?prefix=a",
            "stocks?prefix=",
            "",
        ),
        *(
            "/a",
            "watch",
            "tickets/a",
            "openapi.json",
            "-x",
            "a b",
            "stocks/a\0",
            "stocks?prefix=\0",
            "a" * 127,
            "a" * 128,
        ),
        *("stocks/" + "x" * 512, "stocks/" + "x" * 513, "stocks/a/b?c", "stocks?other=1", "stocks/a?prefix=b"),
    ]
)
PREFIXES: Final = st.sampled_from(["", "a", "\0", "x" * 512, "x" * 513])
REFS: Final = st.sampled_from(["", "r", "r" * 64, "r" * 65, 0, -1, 2**62, 1.5, 1.0])
TIMES: Final = st.sampled_from(["2026-11-23T10:00:00Z", "2026-11-23T10:00:00.5+01:00", "yesterday", ""])
MEMBERS: Final[Mapping[str, st.SearchStrategy[Any]]] = {
    "watch": LABELS | SCALARS,
    "resource": LABELS | SCALARS,
    "prefix": PREFIXES | SCALARS,
    "mode": st.sampled_from(["state", "log", "", "both"]) | SCALARS,
    "snapshot": SCALARS | st.just("true"),
    "cursor": st.just("") | SCALARS,
    "since": TIMES | SCALARS,
    "data": SCALARS,
    "delete": SCALARS | st.just("true"),
    "token": st.just("a.b.c") | SCALARS,
    "ref": REFS | SCALARS,
    "more": SCALARS,
}
OP: Final = st.sampled_from([*Session.OPERATIONS, *Session.OPERATIONS, "other"]) | SCALARS
OPERATIONS: Final = st.builds(
    lambda op, members: {"op": op, **members}, OP, st.fixed_dictionaries({}, optional=dict(MEMBERS))
)


def likely(operation: str) -> st.SearchStrategy[dict[str, Any]]:
    """Operations with members of their own: any members at all are hardly ever right."""
    own = definitions()[operation]["properties"].keys() - {"op"}
    chosen = {name: strategy for name, strategy in MEMBERS.items() if name in own}
    return st.builds(lambda members: {"op": operation.lower(), **members}, st.fixed_dictionaries({}, optional=chosen))


def refused(operation: object) -> bool:
    """Whether the session finds it wrong in itself."""
    client = Client(hub_of(put("a", 0), put("b", 1)))
    client.session.on_op({"op": "subscribe", "watch": "stocks/a"})
    client.frames()
    client.session.on_op(operation)
    problems = [frame for frame in client.frames() if frame["event"] == "problem" and frame["code"] == "invalid"]
    # These depend on what there is, and not on how it is said.
    about = ("isn't watched on this connection", "overlaps", "is watched in mode")
    return any(not any(text in frame["message"] for text in about) for frame in problems)


@given(st.one_of(OPERATIONS, *(likely(kind) for kind in KINDS)))
@settings(max_examples=1500, deadline=None)
@example({"op": "subscribe", "watch": "stocks", "mode": ""})
@example({"op": "ping", "ref": True})
@example({"op": "ping", "ref": 1.5})
@example({"op": "publish", "resource": "stocks/a", "delete": False})
@example({"op": "publish", "resource": "stocks/a", "delete": True, "data": 1})
@example({"op": "publish", "resource": "stocks/a", "delete": False, "data": 1})
def test_what_the_schema_refuses_the_session_refuses_and_nothing_else(operation: dict[str, Any]) -> None:
    assert refused(operation) == bool(SCHEMA.mistakes(operation)), SCHEMA.mistakes(operation)


@pytest.mark.parametrize("operation", [[], "ping", None, 1, {}])
def test_what_is_no_operation_at_all_is_refused_by_both(operation: object) -> None:
    assert refused(operation)
    assert SCHEMA.mistakes(operation)


@pytest.mark.parametrize("operation", EXAMPLES, ids=str)
def test_each_example_of_an_operation_is_done(operation: dict[str, Any]) -> None:
    assert not refused(operation)


def test_the_schemas_know_every_operation_and_no_other() -> None:
    assert [definitions()[kind]["properties"]["op"]["const"] for kind in KINDS] == [kind.lower() for kind in KINDS]
    assert {kind.lower() for kind in KINDS} == set(Session.OPERATIONS)
