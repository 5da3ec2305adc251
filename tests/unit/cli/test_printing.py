import json
from typing import Any

import pytest

from cli.watching.arrival import Trouble
from cli.watching.printing import Printer, one_line, printable


def put(data: Any, resource: str = "stocks/AAPL") -> dict[str, Any]:
    return {"event": "put", "resource": resource, "version": "7", "time": "2026-11-24T11:00:00.000Z", "data": data}


def test_a_change_is_one_line() -> None:
    assert one_line(put({"price": 1.5})).plain == '2026-11-24T11:00:00.000Z stocks/AAPL 7 {"price": 1.5}'


def test_a_delete_says_so() -> None:
    frame = {"event": "delete", "resource": "a/b", "version": "8"}
    assert one_line(frame).plain == "a/b 8 deleted"


def test_names_and_data_cannot_command_the_terminal() -> None:
    line = one_line(put({"\x9b2J": "\x1b]0;x\x07\u202e"}, resource="a/\x1b[2J")).plain
    assert not set(line) & set("\x1b\x9b\x07\u202e")
    assert "a/\\u001b[2J" in line


def test_what_can_be_printed_is_left_alone() -> None:
    assert printable("Nestlé – 日本 🚀") == "Nestlé – 日本 🚀"


def test_json_lines_are_the_frames_as_they_came(capsys: pytest.CaptureFixture[str]) -> None:
    text = '{"event":"put","resource":"a/b","version":"1","data":1.0E2}'
    printer = Printer(json_lines=True)
    printer.frame(text, json.loads(text))
    printer.frame("{}", {"event": "synced", "watch": "a", "cursor": "c", "resumed": False})
    assert capsys.readouterr() == (text + "\n", "")


def test_resets_and_problems_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    printer = Printer(json_lines=True)
    printer.frame("{}", {"event": "reset", "watch": "stocks", "reason": "epoch"})
    printer.frame("{}", {"event": "bookmark", "cursor": "c", "skipped": 3})
    printer.trouble(Trouble("slow: too slow"))
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 3


def test_the_same_trouble_is_told_once_until_something_arrives(capsys: pytest.CaptureFixture[str]) -> None:
    printer = Printer(json_lines=False)
    for _ in range(3):
        printer.trouble(Trouble("refused"))
    printer.frame("{}", {"event": "bookmark", "cursor": "c", "skipped": 0})
    printer.trouble(Trouble("refused"))
    assert capsys.readouterr().err == "refused; trying again\n" * 2
