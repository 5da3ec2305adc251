"""A secret comes from a file: there is a setting for it, and no argument that whoever lists processes would see."""

import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click
import pytest
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from cli.__main__ import watchroute
from cli.settings import AllSettings

SECRET: Final = frozenset({"secret", "password", "passphrase", "token", "key", "credential", "credentials"})
NONE_OF_ITS_OWN: Final = frozenset({"auth.token_in_query"})
"""They are named after a secret, and hold none."""


def is_secret(name: str) -> bool:
    return bool(SECRET & set(name.lower().replace("-", "_").split("_")))


def kinds(annotation: Any) -> Iterator[type]:
    """Every class that an annotation names."""
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from kinds(argument)


def settings_of(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, FieldInfo, type[BaseModel]]]:
    """Every setting, by its path, with the table that it is of."""
    for name, field in model.model_fields.items():
        tables = [kind for kind in kinds(field.annotation) if issubclass(kind, BaseModel)]
        for table in tables:
            yield from settings_of(table, f"{path}{name}.")
        if not tables:
            yield f"{path}{name}", field, model


def commands(command: click.Command, path: str = "watchroute") -> Iterator[tuple[str, click.Parameter]]:
    """Every parameter of every command."""
    for parameter in command.params:
        yield f"{path} {parameter.name}", parameter
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from commands(found, f"{path} {name}")


SECRETS: Final = {
    path: (field, table)
    for path, field, table in settings_of(AllSettings)
    if is_secret(path.rpartition(".")[2]) and path not in NONE_OF_ITS_OWN
}
PARAMETERS: Final = dict(commands(watchroute))


def test_the_walk_finds_what_there_is() -> None:
    known = {"kafka.sasl_password", "kafka.tls_key_file", "auth.ticket_secret_file", "auth.issuers.secret_file"}
    assert known <= set(SECRETS)
    assert "watchroute token make folder" in PARAMETERS


@pytest.mark.parametrize("path", SECRETS)
def test_a_secret_has_a_setting_for_its_file(path: str) -> None:
    field, table = SECRETS[path]
    name = path.rpartition(".")[2]
    in_file = name if name.endswith("_file") else f"{name}_file"
    assert Path in set(kinds(table.model_fields[in_file].annotation))
    if name != in_file:
        # Where it may be written itself, too, nothing prints it.
        assert set(kinds(field.annotation)) == {SecretStr, type(None)}
        assert in_file in (field.description or "")


@pytest.mark.parametrize("path", PARAMETERS)
def test_no_argument_of_a_command_is_a_secret(path: str) -> None:
    parameter = PARAMETERS[path]
    named = {parameter.name or "", *(option.lstrip("-") for option in parameter.opts)}
    if any(map(is_secret, named)):
        assert isinstance(parameter.type, click.Path)


def test_a_file_can_be_named_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (*SECRETS, "kafka.tls_cert_file"):
        if path.count(".") == 1 and path.endswith("_file"):
            monkeypatch.setenv(f"WATCHROUTE_{path.replace('.', '_').upper()}", str(tmp_path / path))
    loaded = AllSettings.load(None)
    assert loaded.kafka.sasl_password_file == tmp_path / "kafka.sasl_password_file"
    assert loaded.auth.ticket_secret_file == tmp_path / "auth.ticket_secret_file"


def test_one_that_is_written_itself_is_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHROUTE_KAFKA_SASL_PASSWORD", "hunter2")
    loaded = AllSettings.load(None)
    assert "hunter2" not in f"{loaded!r} {loaded.model_dump(mode='json')} {loaded.model_dump_json()}"
