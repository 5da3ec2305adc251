"""The catalogue: which collections there are, and what is promised of each."""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from shared.cursor import MAX_PARTITIONS, collection_tag
from shared.deprecation import Deprecation
from shared.errors import ConfigurationError
from shared.problem import Problem
from shared.resource import RESERVED_COLLECTIONS, is_collection
from shared.schema import Schema
from shared.value import ValueFormat

Mode = Literal["state", "log"]
MODES: Final[tuple[Mode, ...]] = ("state", "log")


class CollectionSettings(BaseModel):
    """One `[collections.NAME]` table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    topic: str | None = Field(None, description="The Kafka topic; the collection's own name when left out.")
    partitions: int = Field(12, ge=1, le=MAX_PARTITIONS, description="For `watchroute topics ensure`.")
    replication: int = Field(1, ge=1, le=32767, description="For `watchroute topics ensure`; 3 in production.")
    modes: tuple[Mode, ...] = Field(("state",), min_length=1, description="What a watcher may ask for.")
    value: ValueFormat = Field("json", description="How record values are written.")
    schema_file: Path | None = Field(None, alias="schema", description="A JSON Schema that every write must meet.")
    state: Literal["held", "none"] = Field(
        "held", description="`none`: too large to hold; watched from now on, no snapshots."
    )
    history_records: int = Field(10_000, ge=0, description="Records a partition keeps for resuming in log mode.")
    history_bytes: int = Field(268_435_456, ge=0, description="What the history of the collection may hold in all.")
    history_s: float = Field(3600, gt=0, description="Records older than this are not kept for log mode.")
    max_value_bytes: int = Field(1_048_576, ge=2, description="Larger records are skipped, larger writes refused.")
    delete_retention_s: float = Field(
        86_400, gt=0, description="`delete.retention.ms` of the topic: how long a delete can be told to who was away."
    )
    public: bool = Field(default=False, description="Everybody may watch it, also without a token.")
    generation: int = Field(0, ge=0, description="Raise it to tell every watcher that the log's identity changed.")
    deprecated: date | None = Field(None, description="Since when nobody should begin to use it; whoever does is told.")
    sunset: date | None = Field(None, description="The day from which on a deprecated collection may be gone.")
    successor: str | None = Field(None, description="The collection to use instead of a deprecated one.")

    @field_validator("schema_file")
    @classmethod
    def _readable(cls, path: Path | None) -> Path | None:
        if path is not None:
            Schema.from_file(path)
        return path

    @model_validator(mode="after")
    def _says_since_when(self) -> Self:
        if self.deprecated is None and (self.sunset or self.successor):
            raise ValueError("sunset and successor go with deprecated")
        if self.deprecated and self.sunset and self.sunset < self.deprecated:
            raise ValueError("sunset is not before deprecated")
        return self


class Collection:
    """One collection, as the services use it."""

    def __init__(self, name: str, settings: CollectionSettings) -> None:
        self.name = name
        self.settings = settings
        self.topic = settings.topic or name
        self.tag = collection_tag(name)

    def __repr__(self) -> str:
        return f"<Collection {self.name} of topic {self.topic}>"

    @cached_property
    def schema(self) -> Schema | None:
        """The compiled schema, if the collection has one."""
        return Schema.from_file(self.settings.schema_file) if self.settings.schema_file else None

    @cached_property
    def deprecation(self) -> Deprecation | None:
        """What is told of it if it is deprecated."""
        own = self.settings
        return Deprecation(own.deprecated, own.sunset, own.successor) if own.deprecated else None

    @property
    def holds_state(self) -> bool:
        """Whether the newest value of every resource is kept in memory."""
        return self.settings.state == "held"

    @property
    def keeps_history(self) -> bool:
        """Whether recent records are kept, for log mode or for want of state."""
        return "log" in self.settings.modes or not self.holds_state


class Catalog:
    """All collections, by name."""

    def __init__(self, tables: Mapping[str, CollectionSettings]) -> None:
        mistakes = list(_mistakes(tables))
        if mistakes:
            raise ConfigurationError(mistakes)
        self._collections = {name: Collection(name, settings) for name, settings in tables.items()}

    def __iter__(self) -> Iterator[Collection]:
        return iter(self._collections.values())

    def __len__(self) -> int:
        return len(self._collections)

    def find(self, name: str) -> Collection | None:
        """The collection of that name, or None."""
        return self._collections.get(name)

    def get(self, name: str) -> Collection:
        """The collection of that name; raises Problem `not_found`."""
        collection = self._collections.get(name)
        if collection is None:
            raise Problem("not_found", f"there is no collection {name[:100]!r}")
        return collection


def _mistakes(tables: Mapping[str, CollectionSettings]) -> Iterator[str]:
    tags: dict[bytes, str] = {}
    topics: dict[str, str] = {}
    for name, settings in tables.items():
        if not is_collection(name):
            taken = ", ".join(sorted(RESERVED_COLLECTIONS))
            yield f"collections.{name}: a name has letters, digits, '.', '_' and '-', and is none of {taken}"
        if settings.successor is not None and (settings.successor == name or settings.successor not in tables):
            yield f"collections.{name}: its successor {settings.successor!r} is not another collection"
        topic = settings.topic or name
        if other := topics.setdefault(topic, name) != name and topics[topic]:
            yield f"collections.{name}: the topic {topic!r} already serves {other!r}"
        if other := tags.setdefault(collection_tag(name), name) != name and tags[collection_tag(name)]:
            yield f"collections.{name}: its cursors would look like those of {other!r}; choose another name"
