import json
from typing import Any

import pytest

from cli.terminal import printable
from cli.watching.printing import Printer, one_line
from watchroute_client import Change, State, Status

TIME = "2026-11-24T11:00:00.000Z"


def put(data: Any, resource: str = "stocks/AAPL") -> Change:
    frame = {"event": "put", "resource": resource, "version": "7", "time": TIME, "data": data}
    return Change.of(frame)


def test_a_change_is_one_line() -> None:
    assert one_line(put({"price": 1.5})).plain == f'{TIME} stocks/AAPL 7 {{"price": 1.5}}'


def test_a_delete_says_so() -> None:
    assert one_line(Change("delete", "a/b", 8)).plain == "a/b 8 deleted"


def test_names_and_data_cannot_command_the_terminal() -> None:
    line = one_line(put({"\x9b2J": "\x1b]0;x\x07\u202e"}, resource="a/\x1b[2J")).plain
    assert not set(line) & set("\x1b\x9b\x07\u202e")
    assert "a/\\u001b[2J" in line


def test_what_can_be_printed_is_left_alone() -> None:
    assert printable("Nestlé – 日本 🚀") == "Nestlé – 日本 🚀"


def test_json_lines_are_the_frames(capsys: pytest.CaptureFixture[str]) -> None:
    printer = Printer(json_lines=True)
    printer.change("a", put({"é": 1}))
    printer.change("a", Change("synced"))
    printer.change("a", Change("delete", "a/gone", 3))
    out, err = capsys.readouterr()
    frames = [json.loads(line) for line in out.splitlines()]
    assert frames == [dict(put({"é": 1}).frame), {"event": "delete", "resource": "a/gone", "version": "3"}]
    assert err == ""


def test_resets_and_troubles_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    printer = Printer(json_lines=True)
    printer.change("stocks", Change("reset", reason="epoch"))
    printer.status(Status(State.OFFLINE, "slow: too slow"))
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "stocks: begins again from the state now (epoch)\nslow: too slow; trying again\n"


def test_the_same_trouble_is_told_once_until_something_arrives(capsys: pytest.CaptureFixture[str]) -> None:
    printer = Printer(json_lines=True)
    for state in (State.OFFLINE, State.CONNECTING, State.OFFLINE, State.LIVE):
        printer.status(Status(state, "refused"))
    printer.change("a", Change("synced"))
    printer.status(Status(State.OFFLINE, "refused"))
    assert capsys.readouterr().err == "refused; trying again\n" * 2
