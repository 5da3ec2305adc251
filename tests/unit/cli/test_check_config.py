import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.__main__ import main
from cli.check_config import check_config

WRONG = """
[kafka]
bootstrp = "x:1"
[pushserver]
port = "many"
[collections.watch]
[collections.a]
topic = "t"
[collections.b]
topic = "t"
[collections.c]
schema = "nowhere.json"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("WATCHROUTE_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(folder: Path, text: str) -> str:
    path = folder / "given.toml"
    path.write_text(text)
    return str(path)


def test_all_mistakes_are_told_at_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WATCHROUTE_SPEED", "9")
    assert main(["check-config", "--config", written(folder, WRONG)]) == 1
    err = capsys.readouterr().err
    for mistake in ("bootstrp", "pushserver.port", "collections.watch", "'t' already", "nowhere.json", "SPEED"):
        assert mistake in err, mistake


def test_the_effective_settings_are_toml_that_says_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHROUTE_PUSHSERVER_PORT", "1234")
    result = CliRunner().invoke(check_config, ["--config", written(folder, '[collections.a]\nmodes = ["log"]\n')])
    shown = tomllib.loads(result.output)
    assert (shown["pushserver"]["port"], shown["collections"]["a"]["modes"]) == (1234, ["log"])


def test_secrets_are_masked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHROUTE_KAFKA_SASL_PASSWORD", "hunter2")
    result = CliRunner().invoke(check_config, [])
    assert result.exit_code == 0
    assert "hunter2" not in result.output
    assert 'sasl_password = "**********"' in result.output


def test_the_file_that_is_read_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "# From no file" in CliRunner().invoke(check_config, []).output
    (folder / "watchroute.toml").write_text("")
    assert "# From watchroute.toml" in CliRunner().invoke(check_config, []).output
    monkeypatch.setenv("WATCHROUTE_CONFIG", written(folder, ""))
    assert "given.toml" in CliRunner().invoke(check_config, []).output
