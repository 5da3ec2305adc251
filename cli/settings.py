"""All settings at once: what a process reads that is both services, and what the configuration's tools check."""

import os
from pathlib import Path
from typing import Final

import click

from services.producer.settings import ProducerSettings
from services.pushserver.settings import PushServerSettings
from shared.settings import PREFIX, RootSettings

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
    """Read and check everything; raises ConfigurationError with every mistake."""
    return AllSettings.load(config_path(given))
