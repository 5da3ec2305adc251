"""All settings at once: what a process reads that is both services, and what the configuration's tools check."""

import os
from pathlib import Path
from typing import Any, Final

import click
from pydantic import ValidationError

from services.producer.settings import ProducerSettings
from services.pushserver.settings import PushServerSettings
from shared.catalog import Catalog, CollectionSettings
from shared.errors import ConfigurationError
from shared.settings import PREFIX, RootSettings, read_file

_DEFAULT: Final = Path("watchroute.toml")


class AllSettings(RootSettings):
    """Every table of `watchroute.toml`."""

    producer: ProducerSettings = ProducerSettings()
    pushserver: PushServerSettings = PushServerSettings()


config_option = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help=f"The configuration.  [default: {PREFIX}CONFIG, else {_DEFAULT} if there is one]",
)


def config_path(given: Path | None) -> Path | None:
    """The file that is read: `given`, else the one that the environment names, else the default one, else none."""
    named = os.environ.get(PREFIX + "CONFIG")
    if given or named:
        return given or Path(str(named))
    return _DEFAULT if _DEFAULT.exists() else None


def load_settings(given: Path | None) -> AllSettings:
    """Read and check everything; raises ConfigurationError with every mistake, those between collections too."""
    path = config_path(given)
    mistakes: list[str] = []
    try:
        settings = AllSettings.load(path)
    except ConfigurationError as error:
        mistakes = error.mistakes
    mistakes += catalog_mistakes(path)
    if mistakes:
        raise ConfigurationError(mistakes)
    return settings


def catalog_mistakes(path: Path | None) -> list[str]:
    """What is wrong with the collections of a file taken together; those that are wrong by themselves are left out."""
    tables, _ = read_file(path)
    collections = tables.get("collections", {})
    try:
        Catalog({name: found for name, table in collections.items() if (found := _collection(table)) is not None})
    except ConfigurationError as error:
        return error.mistakes
    return []


def _collection(table: Any) -> CollectionSettings | None:
    try:
        return CollectionSettings.model_validate(table)
    except ValidationError:
        return None
