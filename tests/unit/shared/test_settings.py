"""Settings: from the file and the environment, with all mistakes at once."""

import os
from pathlib import Path

import pytest

from services.producer.settings import Settings
from shared.errors import ConfigurationError

GOOD = """
[kafka]
bootstrap = "kafka:9092"
[log]
level = "warning"
[producer]
port = 9000
[collections.stocks]
modes = ["state", "log"]
schema = "schemas/stock.json"
"""


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("WATCHROUTE_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / "etc"
    (folder / "schemas").mkdir(parents=True)
    (folder / "schemas" / "stock.json").write_text('{"type": "object"}')
    path = folder / "watchroute.toml"
    path.write_text(GOOD)
    return path


def mistakes_of(path: Path | None = None) -> list[str]:
    with pytest.raises(ConfigurationError) as wrong:
        Settings.load(path)
    return wrong.value.mistakes


def test_without_a_file_the_defaults_hold() -> None:
    settings = Settings.load()
    assert (settings.kafka.bootstrap, settings.producer.port, settings.collections) == ("127.0.0.1:9092", 8082, {})


def test_the_file_is_read(config: Path) -> None:
    settings = Settings.load(config)
    assert (settings.kafka.bootstrap, settings.producer.port, settings.log.level) == ("kafka:9092", 9000, "warning")
    assert settings.collections["stocks"].modes == ("state", "log")


def test_a_schema_is_found_beside_the_file(config: Path) -> None:
    assert Settings.load(config).collections["stocks"].schema_file == config.parent / "schemas" / "stock.json"


def test_the_file_may_be_named_in_the_environment(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHROUTE_CONFIG", str(config))
    assert Settings.load().producer.port == 9000


def test_a_file_in_the_working_directory_is_found(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(config.parent)
    assert Settings.load().producer.port == 9000


def test_the_environment_wins_and_leaves_the_rest_of_the_table(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHROUTE_PRODUCER_ADMIN_PORT", "9001")
    monkeypatch.setenv("WATCHROUTE_KAFKA_BOOTSTRAP", "other:9092")
    settings = Settings.load(config)
    assert (settings.producer.port, settings.producer.admin_port) == (9000, 9001)
    assert settings.kafka.bootstrap == "other:9092"


def test_all_mistakes_are_reported_at_once(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config.write_text(
        """
        [kafka]
        bootstrp = "x"
        [producer]
        port = 70000
        [collections.stocks]
        modes = []
        partitions = 0
        color = "red"
        schema = "missing.json"
        """
    )
    monkeypatch.setenv("WATCHROUTE_PRODUCER_PROT", "1")
    monkeypatch.setenv("WATCHROUTE_PORDUCER_PORT", "1")
    monkeypatch.setenv("WATCHROUTE_LOG_LEVEL", "loud")
    found = mistakes_of(config)
    for part in (
        "kafka.bootstrp",
        "producer.port",
        "producer.prot",
        "WATCHROUTE_PORDUCER_PORT",
        "log.level",
        "collections.stocks.modes",
        "collections.stocks.partitions",
        "collections.stocks.color",
        "collections.stocks.schema",
    ):
        assert [line for line in found if part in line], (part, found)
    assert len(found) == 9, found


@pytest.mark.parametrize("table", ["[collections.control]", '[collections.stocks]\ntopic = "control"'])
def test_what_is_served_does_not_say_what_is_revoked(table: str, tmp_path: Path) -> None:
    path = tmp_path / "watchroute.toml"
    path.write_text(f'[auth]\nrevocations = "control"\n{table}\n')
    with pytest.raises(ConfigurationError) as refused:
        Settings.load(path)
    assert refused.value.mistakes == ["auth.revocations: the topic 'control' serves a collection already"]


def test_a_mistake_names_the_variable_that_mends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHROUTE_PRODUCER_PORT", "x")
    (mistake,) = mistakes_of()
    assert "WATCHROUTE_PRODUCER_PORT" in mistake


@pytest.mark.parametrize("content", ["[kafka", 'collections = "x"', "[collections]\nstocks = 1", "kafka = 1", "[nope]"])
def test_a_file_that_is_no_configuration_is_a_mistake(config: Path, content: str) -> None:
    config.write_text(content)
    assert mistakes_of(config)


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    (mistake,) = mistakes_of(tmp_path / "nowhere.toml")
    assert "nowhere.toml" in mistake


def test_the_tables_of_the_other_service_are_let_be(config: Path) -> None:
    config.write_text(GOOD + "\n[pushserver]\nport = 1\n")
    assert Settings.load(config).producer.port == 9000


def test_a_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHROUTE_KAFKA_SASL_PASSWORD", "hunter2")
    assert "hunter2" not in repr(Settings.load())


def test_a_password_is_not_shown_in_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHROUTE_KAFKA_SASL_PASSWORD", "hunter2")
    monkeypatch.setenv("WATCHROUTE_KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    assert "hunter2" not in "\n".join(mistakes_of())
