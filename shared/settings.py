"""Settings from `watchroute.toml` and from `WATCHROUTE_*`, the latter winning.

Unknown names are refused in both, and all mistakes are reported at once (`ConfigurationError`). Settings are read once,
by a `__main__`, and handed down; nothing reads them at import.
"""

import contextlib
import os
import tomllib
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from shared.auth_settings import AuthSettings
from shared.catalog import Catalog, CollectionSettings
from shared.errors import ConfigurationError
from shared.kafka import KafkaSettings

PREFIX: Final = "WATCHROUTE_"
_NOT_SETTINGS: Final = ("CONFIG", "TEST_", "SOAK_")
_SCALARS_FROM_ENV: Final = frozenset({"collections"})


class LogSettings(BaseModel):
    """How both services log."""

    model_config = ConfigDict(extra="forbid")

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least serious level written.")
    format: Literal["console", "json"] = Field("json", description="One JSON object a line, or text for a person.")


class RootSettings(BaseSettings):
    """What every process reads; each service adds its own table."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="_",
        env_nested_max_split=1,
        extra="forbid",
        validate_default=True,
        nested_model_default_partial_update=True,
    )

    kafka: KafkaSettings = KafkaSettings()
    auth: AuthSettings = AuthSettings()
    log: LogSettings = LogSettings()
    collections: dict[str, CollectionSettings] = {}
    producer: Any = Field(default=None, repr=False)
    pushserver: Any = Field(default=None, repr=False)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 -- the library's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 -- the library's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment first, then what `load` read from the file."""
        del settings_cls
        return env_settings, init_settings

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Read the file (`path`, else `WATCHROUTE_CONFIG`, else `watchroute.toml` if it exists) and the environment.

        Raises ConfigurationError with every mistake.
        """
        content, mistakes = read_file(path or _default_path())
        mistakes += _unknown_variables(cls)
        try:
            settings = cls(**content)
        except ValidationError as invalid:
            mistakes += [_line(error) for error in invalid.errors(include_url=False)]
        else:
            mistakes += _control_mistakes(settings)
        mistakes += _catalog_mistakes(content.get("collections"))
        if mistakes:
            raise ConfigurationError(sorted(set(mistakes)))
        return settings


def read_file(path: Path | None) -> tuple[dict[str, Any], list[str]]:
    """The content of a TOML file, and what is wrong with it; paths in it become relative to its folder."""
    if path is None:
        return {}, []
    try:
        content = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return {}, [f"{path}: {error}"]
    _name_from(path.parent, content)
    return content, []


def _name_from(folder: Path, content: dict[str, Any]) -> None:
    collections = content.get("collections")
    for collection in collections.values() if isinstance(collections, dict) else ():
        if isinstance(collection, dict) and isinstance(collection.get("schema"), str):
            collection["schema"] = str(folder / collection["schema"])
    auth = content.get("auth")
    issuers = auth.get("issuers") if isinstance(auth, dict) else None
    for table in (auth, *(issuers.values() if isinstance(issuers, dict) else ())):
        for name in ("jwks", "secret_file", "ticket_secret_file") if isinstance(table, dict) else ():
            if isinstance(table.get(name), str) and "://" not in table[name]:
                table[name] = str(folder / table[name])


def _catalog_mistakes(tables: Any) -> list[str]:
    """What is wrong with the collections taken together; those that are wrong by themselves are left out."""
    parsed = {}
    for name, table in tables.items() if isinstance(tables, dict) else ():
        with contextlib.suppress(ValidationError):
            # Reported already, with all that is wrong.
            parsed[name] = CollectionSettings.model_validate(table)
    try:
        Catalog(parsed)
    except ConfigurationError as error:
        return error.mistakes
    return []


def _control_mistakes(settings: RootSettings) -> list[str]:
    """What is served can't also say whom to serve."""
    taken = {table.topic or name for name, table in settings.collections.items()}
    topic = settings.auth.revocations
    return [f"auth.revocations: the topic {topic!r} serves a collection already"] if topic in taken else []


def _default_path() -> Path | None:
    named = os.environ.get(PREFIX + "CONFIG")
    if named:
        return Path(named)
    return Path("watchroute.toml") if Path("watchroute.toml").exists() else None


def _unknown_variables(cls: type[RootSettings]) -> list[str]:
    tables = set(cls.model_fields) - _SCALARS_FROM_ENV
    names = (name.removeprefix(PREFIX) for name in os.environ if name.startswith(PREFIX))
    return [
        f"{PREFIX}{name}: no such setting"
        for name in names
        if not name.startswith(_NOT_SETTINGS) and name.partition("_")[0].lower() not in tables
    ]


def _line(error: Any) -> str:
    *tables, name = (str(part) for part in error["loc"] or ("settings",))
    where = ".".join((*tables, name))
    variable = f" ({PREFIX}{'_'.join((*tables, name)).upper()})" if len(tables) == 1 else ""
    what = "no such setting" if error["type"] == "extra_forbidden" else error["msg"]
    return f"{where}{variable}: {what}"
