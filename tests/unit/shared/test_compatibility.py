"""What may change within /v1, and what may not: docs/protocol.md, section 9.

tests/corpus/v1.jsonl was recorded when the contract was first written down, and is never edited: what is in it stays
good. tests/corpus/future.jsonl has what a later server may say, for every client of ours.
"""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from shared.contract.definitions import definitions, schema_of
from shared.schema import Schema
from tests.unit.clients.case_player import CasePlayer

CORPUS: Final = Path(__file__).parents[2] / "corpus"
FRAMES: Final = [name for name in definitions() if name.endswith("Frame") and name not in {"Frame", "SocketFrame"}]
OPERATIONS: Final = ("Subscribe", "Unsubscribe", "Publish", "Auth", "Ping")
EVENTS: Final = ["put", "delete", "synced", "bookmark", "reset", "goaway", "problem", "ack", "pong", "auth"]


def lines(file: str, kind: str) -> list[dict[str, Any]]:
    read = map(json.loads, (CORPUS / file).read_text("utf-8").splitlines())
    return [line[kind] for line in read if kind in line]


@pytest.mark.parametrize("frame", lines("v1.jsonl", "frame"))
def test_an_old_frame_still_fits(frame: dict[str, Any]) -> None:
    assert Schema(schema_of("SocketFrame")).mistakes(frame) == []


@pytest.mark.parametrize("operation", lines("v1.jsonl", "operation"))
def test_an_old_operation_is_still_taken(operation: dict[str, Any]) -> None:
    assert Schema(schema_of("Operation")).mistakes(operation) == []


def test_the_corpus_has_every_event_that_a_test_can_wait_for() -> None:
    recorded = {frame["event"] for frame in lines("v1.jsonl", "frame")}
    assert set(EVENTS) - recorded <= {"auth"}


@pytest.mark.parametrize("name", FRAMES)
def test_a_member_may_be_added_to_what_is_told(name: str) -> None:
    schema = Schema(schema_of(name))
    for example in definitions()[name]["examples"]:
        assert schema.mistakes({**example, "later": {"and": "more"}}) == []


@pytest.mark.parametrize("name", FRAMES)
def test_a_member_that_must_be_there_is_missed(name: str) -> None:
    schema = Schema(schema_of(name))
    for example in definitions()[name]["examples"]:
        for required in definitions()[name]["required"]:
            assert schema.mistakes({key: value for key, value in example.items() if key != required})


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_unknown_member_of_an_operation_is_refused(name: str) -> None:
    schema = Schema(schema_of(name))
    for example in definitions()[name]["examples"]:
        assert schema.mistakes({**example, "later": 1})


def test_the_python_client_passes_over_what_it_does_not_know() -> None:
    player = CasePlayer({"options": {"transports": ["sse"]}, "watch": {"path": "stocks"}})
    said: list[dict[str, Any]] = [{"says": frame} for frame in lines("future.jsonl", "frame")]
    told: list[dict[str, Any]] = [
        {"event": "put", "resource": "stocks/AAPL", "version": 7},
        {"event": "delete", "resource": "stocks/AAPL", "version": 8},
        {"event": "synced"},
        {"event": "reset"},
    ]
    player.play({"connects": {"transport": "sse"}})
    player.play({"opens": {}})
    for step in said:
        player.play(step)
    for change in told:
        player.play({"yields": {"of": "w0", **change}})
    player.play({"quiet": {}})
