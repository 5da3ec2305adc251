import pytest
from click.testing import CliRunner

from cli.__main__ import main, watchroute


def test_every_command_can_be_asked_for_help() -> None:
    runner = CliRunner()
    listed = runner.invoke(watchroute, ["--help"]).output
    for name in (
        "demo",
        "dev",
        "pages",
        "tail",
        "watch",
        "get",
        "put",
        "revoke",
        "topics",
        "token",
        "check-config",
        "docs",
    ):
        assert f"\n  {name} " in listed
        assert runner.invoke(watchroute, [name, "--help"]).exit_code == 0


def test_an_unknown_command_is_a_usage_error() -> None:
    assert CliRunner().invoke(watchroute, ["dance"]).exit_code == 2


def test_a_refusal_of_ours_is_one_line_and_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tail", "/x"]) == 1
    assert capsys.readouterr().err == "watchroute: invalid: '/x' names no resource, collection or prefix\n"
