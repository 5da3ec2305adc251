"""What may change within /v1, and what may not: docs/protocol.md, section 9.

tests/corpus/v1.jsonl was recorded when the contract was first written down, and is never edited: what is in it stays
good. tests/corpus/future.jsonl has what a later server may say, for every client of ours.
"""

import json
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from cli.watching.arrival import Arrival, Trouble
from cli.watching.follower import Follower
from cli.watching.printing import Printer
from cli.watching.request import TailRequest
from shared.contract.definitions import definitions, schema_of
from shared.resource import Watch
from shared.schema import Schema

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


async def test_our_own_client_passes_over_what_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    told = [*lines("v1.jsonl", "frame"), *lines("future.jsonl", "frame")]
    told = [frame for frame in told if frame["event"] not in {"problem", "goaway"}]
    connections: Iterator[list[dict[str, Any]]] = iter([told])

    async def play(session: Any, request: TailRequest) -> AsyncGenerator[Arrival, None]:
        del session, request
        for frame in next(connections, ()):
            yield Arrival(json.dumps(frame), None)
        raise Trouble("the corpus is over", retry=False)

    printer = Printer(json_lines=False)
    request = TailRequest("http://x", (Watch("stocks"),))
    follower = Follower(play, request, on_frame=printer.frame, on_trouble=printer.trouble)
    async with aiohttp.ClientSession() as session:
        with pytest.raises(Trouble, match="the corpus is over"):
            await follower.run(session)
    assert follower.cursor == "YmFy"
    assert "stocks/AAPL 8 deleted" in capsys.readouterr().out
