"""`watchroute docs`: write `docs/configuration.md` from the settings classes, or check that it is up to date."""

import difflib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple, get_origin

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from cli.field_type import type_text
from services.producer.settings import ProducerSettings
from services.pushserver.settings import PushServerSettings
from shared.auth_settings import AuthSettings, IssuerSettings
from shared.catalog import CollectionSettings
from shared.kafka import KafkaSettings
from shared.settings import PREFIX, LogSettings

DOCUMENT: Final = Path("docs/configuration.md")
_INTRODUCTION: Final = Path(__file__).with_name("configuration_intro.md")


class Table(NamedTuple):
    """A table of `watchroute.toml`; `variables` says whether the environment can set its values."""

    name: str
    about: str
    model: type[BaseModel]
    variables: bool = True


TABLES: Final = (
    Table("kafka", "How to reach the brokers; every process reads it.", KafkaSettings),
    Table("auth", "Whether tokens are asked for, and whose; both services read it.", AuthSettings),
    Table(
        "auth.issuers.NAME",
        "One table for each issuer of tokens; `NAME` is for people.",
        IssuerSettings,
        variables=False,
    ),
    Table("log", "How every process logs.", LogSettings),
    Table("producer", "The producer service.", ProducerSettings),
    Table("pushserver", "The push server.", PushServerSettings),
    Table(
        "collections.NAME",
        "One table for each collection; `NAME` is the collection's name in URLs.",
        CollectionSettings,
        variables=False,
    ),
)


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 and a diff when the document is stale.")
def docs(*, check: bool) -> None:
    """Write docs/configuration.md from the settings, in the working directory."""
    wanted = document()
    if not check:
        DOCUMENT.parent.mkdir(exist_ok=True)
        DOCUMENT.write_text(wanted, encoding="utf-8")
        return
    found = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else ""
    difference = _difference(found, wanted)
    if difference:
        click.echo(difference + "`watchroute docs` writes it again.")
        sys.exit(1)


def _difference(found: str, wanted: str) -> str:
    old, new = found.splitlines(keepends=True), wanted.splitlines(keepends=True)
    return "".join(difflib.unified_diff(old, new, str(DOCUMENT), "what the settings say"))


def document() -> str:
    """The whole document."""
    return "\n".join(
        [_INTRODUCTION.read_text(encoding="utf-8"), *(line for table in TABLES for line in section(table))]
    )


def section(table: Table) -> Iterator[str]:
    """The lines of one table's section."""
    head = ["Name", *(["Variable"] if table.variables else []), "Type", "Default", "What it is"]
    yield f"## `[{table.name}]`\n\n{table.about}\n"
    yield _row(head)
    yield _row(["---"] * len(head))
    for name, field in table.model.model_fields.items():
        if get_origin(field.annotation) is not dict:
            # The others are tables, which have a section of their own.
            yield _row(_cells(table, field.alias or name, field))
    yield ""


def _cells(table: Table, name: str, field: FieldInfo) -> list[str]:
    variable = [f"`{PREFIX}{table.name}_{name}`".upper()] if table.variables else []
    return [f"`{name}`", *variable, type_text(field), default_text(field), field.description or ""]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def default_text(field: FieldInfo) -> str:
    """The default as it is written in TOML; empty where there is none."""
    value = field.default
    if value is PydanticUndefined or value is None or value == "":
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, str):
        return f'`"{value}"`'
    if isinstance(value, tuple):
        return f"`[{', '.join(f'{chr(34)}{item}{chr(34)}' for item in value)}]`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"
