"""What the topics of a catalogue should be, and what is to be done about those that are there. Does no I/O."""

from collections.abc import Iterable, Mapping
from typing import Final, Literal, NamedTuple

from shared.auth_settings import AuthSettings
from shared.catalog import Catalog, Collection, CollectionSettings

_SAFE_REPLICATION: Final = 3
_MS: Final = 1000
_RECORD_BYTES: Final = 65_536
"""Room for the key and the headers beside the largest value that a collection takes; and for a revocation."""

Verdict = Literal["missing", "same", "differs", "refused"]


class Wanted(NamedTuple):
    """A topic as a collection wants it; `config` names settings of the topic, as Kafka writes them.

    `control`: no collection's, but the one of the revocations.
    """

    topic: str
    partitions: int
    replication: int
    config: Mapping[str, str]
    control: bool = False


class Found(NamedTuple):
    """A topic as it is; `config` has every setting, those that it has from the broker too."""

    partitions: int
    replication: int
    config: Mapping[str, str]


class Finding(NamedTuple):
    """What comes of comparing the two: `notes` has a line for each difference."""

    wanted: Wanted
    verdict: Verdict
    notes: tuple[str, ...] = ()


def all_wanted(collections: Mapping[str, CollectionSettings], auth: AuthSettings) -> list[Wanted]:
    """Every topic of a configuration."""
    catalog = Catalog(collections)
    return [*wanted_topics(catalog), *wanted_revocations(auth, catalog)]


def wanted_topics(catalog: Catalog) -> list[Wanted]:
    """One for each collection."""
    return [Wanted(c.topic, c.settings.partitions, c.settings.replication, wanted_config(c)) for c in catalog]


def wanted_revocations(auth: AuthSettings, catalog: Catalog) -> list[Wanted]:
    """The control topic, where there is to be one: compacted, and as safe as the safest collection.

    One partition: all revocations are in one order.
    """
    if auth.revocations is None:
        return []
    replication = max((collection.settings.replication for collection in catalog), default=1)
    config = {
        "unclean.leader.election.enable": "false",
        "max.message.bytes": str(_RECORD_BYTES),
        "cleanup.policy": "compact",
        **_in_sync(replication),
    }
    return [Wanted(auth.revocations, 1, replication, config, control=True)]


def wanted_config(collection: Collection) -> dict[str, str]:
    """The settings of a collection's topic.

    State that is held needs a compacted topic, as the newest record of each key must never go. Log mode also wants
    records to stay as they are for as long as the history lasts. An unclean election would take back what watchers
    have seen. Kafka's limit is for the record, ours for its value.
    """
    settings = collection.settings
    history_ms, deletes_ms = _ms(settings.history_s), _ms(settings.delete_retention_s)
    config = {
        "unclean.leader.election.enable": "false",
        "max.message.bytes": str(settings.max_value_bytes + _RECORD_BYTES),
    }
    if not collection.holds_state:
        config |= {"cleanup.policy": "delete", "retention.ms": history_ms}
    else:
        config |= {"cleanup.policy": "compact", "delete.retention.ms": deletes_ms}
        config |= {"min.compaction.lag.ms": history_ms} if collection.keeps_history else {}
    return {**config, **_in_sync(settings.replication)}


def _in_sync(replication: int) -> dict[str, str]:
    return {"min.insync.replicas": "2"} if replication >= _SAFE_REPLICATION else {}


def compare(wanted: Iterable[Wanted], found: Mapping[str, Found]) -> list[Finding]:
    """A finding for each wanted topic, in their order."""
    return [_finding(topic, found.get(topic.topic)) for topic in wanted]


def _finding(wanted: Wanted, found: Found | None) -> Finding:
    if found is None:
        return Finding(wanted, "missing")
    broken = tuple(_broken(wanted, found))
    if broken:
        return Finding(wanted, "refused", broken)
    differences = tuple(_differences(wanted, found))
    return Finding(wanted, "differs" if differences else "same", differences)


def _broken(wanted: Wanted, found: Found) -> Iterable[str]:
    """What can't be had from this topic without telling every watcher to begin again, or losing state."""
    if found.partitions != wanted.partitions:
        why = (
            "a revocation and what takes it back have to be in one order"
            if wanted.control
            else "another number moves keys to other partitions and ends every cursor "
            f"(set partitions = {found.partitions})"
        )
        yield f"it has {found.partitions} partitions, not {wanted.partitions}: {why}"
    policy = found.config.get("cleanup.policy", "")
    if wanted.config["cleanup.policy"] == "compact" and set(policy.split(",")) != {"compact"}:
        why = (
            "Kafka forgets what was revoked"
            if wanted.control
            else 'Kafka deletes the state of whatever doesn\'t change (make it compact, or set state = "none")'
        )
        yield f"its cleanup.policy is {policy or 'unknown'}, not compact: {why}"


def _differences(wanted: Wanted, found: Found) -> Iterable[str]:
    if found.replication != wanted.replication:
        yield f"replication is {found.replication}, not {wanted.replication}"
    for name, value in wanted.config.items():
        if name in found.config and found.config[name] != value:
            yield f"{name} is {found.config[name]}, not {value}"


def _ms(seconds: float) -> str:
    return str(round(seconds * _MS))
