from typing import Any

import pytest

from cli.topic_plan import Found, Wanted, compare, wanted_revocations, wanted_topics
from shared.auth_settings import AuthSettings
from shared.catalog import Catalog, CollectionSettings


def wanted(**settings: Any) -> Wanted:
    (topic,) = wanted_topics(Catalog({"stocks": CollectionSettings(**settings)}))
    return topic


def found(**changes: Any) -> Found:
    """What is there after the topic of the default settings was created."""
    topic = wanted()
    broker_config = {"retention.ms": "604800000", "min.insync.replicas": "1", "min.compaction.lag.ms": "0"}
    there = Found(topic.partitions, topic.replication, {**broker_config, **topic.config})
    config = {**there.config, **changes.pop("config", {})}
    return there._replace(config=config, **changes)


def test_a_collection_of_state_wants_a_compacted_topic() -> None:
    topic = wanted(topic="prices", partitions=6, delete_retention_s=60)
    assert (topic.topic, topic.partitions, topic.replication) == ("prices", 6, 1)
    assert topic.config == {
        "cleanup.policy": "compact",
        "delete.retention.ms": "60000",
        "max.message.bytes": "1114112",
        "unclean.leader.election.enable": "false",
    }


def test_log_mode_holds_compaction_back_for_as_long_as_the_history_lasts() -> None:
    assert wanted(modes=("state", "log"), history_s=90.5).config["min.compaction.lag.ms"] == "90500"


def test_a_collection_without_state_wants_a_topic_that_deletes_by_age() -> None:
    assert wanted(state="none", history_s=5).config == {
        "cleanup.policy": "delete",
        "retention.ms": "5000",
        "max.message.bytes": "1114112",
        "unclean.leader.election.enable": "false",
    }


@pytest.mark.parametrize(("replication", "in_sync"), [(1, None), (2, None), (3, "2"), (5, "2")])
def test_three_replicas_or_more_want_two_of_them_in_sync(replication: int, in_sync: str | None) -> None:
    assert wanted(replication=replication).config.get("min.insync.replicas") == in_sync


def test_a_topic_that_is_not_there_is_missing() -> None:
    (finding,) = compare([wanted()], {})
    assert (finding.verdict, finding.notes) == ("missing", ())


def test_a_topic_as_configured_is_the_same() -> None:
    (finding,) = compare([wanted()], {"stocks": found()})
    assert finding.verdict == "same"


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"replication": 3}, "replication is 3, not 1"),
        ({"config": {"delete.retention.ms": "1"}}, "delete.retention.ms is 1, not 86400000"),
        ({"config": {"unclean.leader.election.enable": "true"}}, "unclean.leader.election.enable is true, not false"),
    ],
)
def test_a_harmless_difference_is_reported(changes: dict[str, Any], note: str) -> None:
    (finding,) = compare([wanted()], {"stocks": found(**changes)})
    assert (finding.verdict, finding.notes) == ("differs", (note,))


@pytest.mark.parametrize("partitions", [1, 11, 13])
def test_another_number_of_partitions_is_refused(partitions: int) -> None:
    (finding,) = compare([wanted()], {"stocks": found(partitions=partitions)})
    assert finding.verdict == "refused"
    assert f"set partitions = {partitions}" in finding.notes[0]


@pytest.mark.parametrize("policy", ["delete", "compact,delete", "delete,compact"])
def test_a_policy_that_deletes_state_is_refused(policy: str) -> None:
    (finding,) = compare([wanted()], {"stocks": found(config={"cleanup.policy": policy})})
    assert (finding.verdict, policy in finding.notes[0]) == ("refused", True)


def test_a_compacted_topic_is_good_enough_for_a_collection_without_state() -> None:
    (finding,) = compare([wanted(state="none")], {"stocks": found()})
    assert finding.verdict == "differs"


def test_every_reason_for_refusing_is_told() -> None:
    (finding,) = compare([wanted()], {"stocks": found(partitions=1, config={"cleanup.policy": "delete"})})
    assert len(finding.notes) == 2


@pytest.mark.parametrize(
    ("replications", "replication", "in_sync"), [((), 1, None), ((1, 3), 3, "2"), ((1, 2), 2, None)]
)
def test_the_control_topic_is_compacted_and_as_safe_as_the_safest(
    replications: tuple[int, ...], replication: int, in_sync: str | None
) -> None:
    catalog = Catalog({f"c{number}": CollectionSettings(replication=number) for number in replications})
    (topic,) = wanted_revocations(AuthSettings(mode="none", revocations="control"), catalog)
    assert (topic.topic, topic.partitions, topic.replication) == ("control", 1, replication)
    assert (topic.config["cleanup.policy"], topic.config.get("min.insync.replicas")) == ("compact", in_sync)


def test_without_the_setting_there_is_no_control_topic() -> None:
    assert wanted_revocations(AuthSettings(mode="none"), Catalog({})) == []
