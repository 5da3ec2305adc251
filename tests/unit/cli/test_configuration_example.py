import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from cli.configuration_docs import TABLES
from cli.settings import AllSettings, load_settings

EXAMPLE = Path(__file__).parents[3] / "watchroute.toml.example"
NAMES = {table.name.replace("NAME", "orders"): table.model for table in TABLES}


@pytest.fixture
def everything() -> dict[str, Any]:
    """The example with every setting in force."""
    text = re.sub(r"^#(?=[a-z_]+ = |\[auth)", "", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    tables = tomllib.loads(text)
    one_of_many = {"collections.orders": tables["collections"]["orders"]}
    return tables | one_of_many | {"auth.issuers.orders": tables["auth"]["issuers"]["main"]}


def test_the_example_loads_as_it_is() -> None:
    settings = load_settings(EXAMPLE)
    assert set(settings.collections) == {"orders", "messages"}
    assert settings.collections["messages"].modes == ("state", "log")


def test_what_is_in_force_in_the_example_are_defaults_but_for_the_collections() -> None:
    settings, defaults = load_settings(EXAMPLE), AllSettings()
    for table in ("kafka", "log", "producer", "pushserver"):
        assert getattr(settings, table) == getattr(defaults, table)


@pytest.mark.parametrize("name", NAMES)
def test_the_example_has_every_setting(everything: dict[str, Any], name: str) -> None:
    fields = NAMES[name].model_fields
    assert sorted(everything[name]) == sorted(field.alias or key for key, field in fields.items())


@pytest.mark.parametrize("name", NAMES)
def test_a_setting_behind_a_comment_sign_has_its_default(everything: dict[str, Any], name: str) -> None:
    for key, field in NAMES[name].model_fields.items():
        default = field.default
        if default is not None and not field.is_required() and not isinstance(default, SecretStr | BaseModel | dict):
            given = everything[name][field.alias or key]
            assert (tuple(given) if isinstance(given, list) else given) == default, key
