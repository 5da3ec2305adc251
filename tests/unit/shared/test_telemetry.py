"""Structured logs."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
import structlog

from shared.settings import LogSettings
from shared.telemetry import configure_logs, logger


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:], root.level = handlers, level


def log_a_failure(log: Any) -> None:
    token = "hunter2".upper()
    try:
        int(token[:0])
    except ValueError:
        log.exception("it failed")


def lines_of(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_is_one_object_with_the_time_the_level_and_the_component(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(LogSettings())
    logger("hub").info("something", number=1)
    (line,) = lines_of(capsys)
    assert (line["event"], line["level"], line["component"], line["number"]) == ("something", "info", "hub", 1)
    assert line["timestamp"].endswith("Z")


def test_what_libraries_log_has_the_same_form(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(LogSettings())
    logging.getLogger("aiokafka").warning("node %s is gone", 1)
    logging.getLogger("aiokafka").info("chatter")
    (line,) = lines_of(capsys)
    assert (line["event"], line["level"]) == ("node 1 is gone", "warning")


def test_the_level_is_a_floor(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(LogSettings(level="error"))
    logger("hub").warning("no")
    logging.getLogger("aiokafka").warning("no")
    logger("hub").error("yes")
    assert [line["event"] for line in lines_of(capsys)] == ["yes"]


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("logger_of", [logger, logging.getLogger], ids=["ours", "library"])
def test_a_traceback_shows_no_local_variables(
    capsys: pytest.CaptureFixture[str], form: Literal["json", "console"], logger_of: Callable[[str], Any]
) -> None:
    configure_logs(LogSettings(format=form))
    log_a_failure(logger_of("x"))
    text = capsys.readouterr().err
    assert "ValueError" in text
    assert "HUNTER2" not in text
