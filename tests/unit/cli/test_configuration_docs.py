from pathlib import Path
from typing import Annotated, Literal

import pytest
from click.testing import CliRunner
from pydantic import BaseModel, Field, SecretStr

from cli.configuration_docs import TABLES, Table, default_text, docs, document, section
from cli.field_type import type_text
from cli.settings import AllSettings

ROOT = Path(__file__).parents[3]


class Example(BaseModel):
    port: int = Field(8080, ge=0, le=65535, description="A | B")
    pause_s: float = Field(2.0, gt=0, lt=5)
    secret: SecretStr | None = None
    modes: tuple[Literal["a", "b"], ...] = ("a",)
    on: bool = False
    where: Annotated[Path | None, Field(alias="place")] = None


FIELDS = Example.model_fields


def test_the_document_is_up_to_date() -> None:
    assert (ROOT / "docs/configuration.md").read_text(encoding="utf-8") == document(), "run `watchroute docs`"


def test_every_table_of_the_settings_is_in_it() -> None:
    several = {"collections.NAME", "auth.issuers.NAME"}
    assert {table.name for table in TABLES} == set(AllSettings.model_fields) - {"collections"} | several


@pytest.mark.parametrize(
    ("name", "type_", "default"),
    [
        ("port", "integer, from 0 to 65535", "`8080`"),
        ("pause_s", "number, above 0 below 5", "`2`"),
        ("secret", "text, secret", ""),
        ("modes", 'list of `"a"`, `"b"`', '`["a"]`'),
        ("on", "boolean", "`false`"),
        ("where", "path", ""),
    ],
)
def test_types_bounds_and_defaults_are_in_words(name: str, type_: str, default: str) -> None:
    assert (type_text(FIELDS[name]), default_text(FIELDS[name])) == (type_, default)


def test_a_row_has_the_variable_and_no_stray_bars() -> None:
    rows = list(section(Table("web", "About it.", Example)))
    assert "| `port` | `WATCHROUTE_WEB_PORT` | integer, from 0 to 65535 | `8080` | A \\| B |" in rows
    assert any(row.startswith("| `place` | `WATCHROUTE_WEB_PLACE` |") for row in rows)


def test_a_stale_document_is_shown_as_a_diff_and_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    assert runner.invoke(docs, ["--check"]).exit_code == 1
    assert runner.invoke(docs, []).exit_code == 0
    assert runner.invoke(docs, ["--check"]).exit_code == 0
    written = Path("docs/configuration.md")
    written.write_text(written.read_text(encoding="utf-8").replace("`8082`", "`8`"), encoding="utf-8")
    stale = runner.invoke(docs, ["--check"])
    assert stale.exit_code == 1
    assert "+| `port` | `WATCHROUTE_PRODUCER_PORT` | integer, from 0 to 65535 | `8082` |" in stale.output
