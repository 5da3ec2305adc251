"""What a revocation log makes of the records of its topic; tests/integration has the reading of them."""

from typing import Any, NamedTuple

import pytest
from aiokafka import TopicPartition
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from shared.kafka import KafkaSettings
from shared.revocation_log import RevocationLog
from shared.revocation_metrics import expose_revocations
from shared.revocations import Revocations


class Record(NamedTuple):
    key: bytes | None
    value: bytes | None
    offset: int = 7


def taken(log: RevocationLog, held: Revocations, *records: Record) -> bool:
    return log.take(held, {TopicPartition("control", 3): records})


@pytest.fixture
def log() -> RevocationLog:
    return RevocationLog(KafkaSettings(), "control")


def test_it_is_not_ready_before_it_has_read(log: RevocationLog) -> None:
    assert log.not_ready == "revocations: Kafka has not answered yet"


def test_only_what_revokes_has_to_be_told(log: RevocationLog) -> None:
    assert not taken(log, log.held)
    assert taken(log, log.held, Record(b"jti:1", b"{}"), Record(b"nonsense", b"{}"))
    assert not taken(log, log.held, Record(b"jti:1", None), Record(b"nonsense", b"{}"))


def test_records_that_say_nothing_are_counted_and_the_first_and_each_thousandth_is_logged(log: RevocationLog) -> None:
    with capture_logs() as said:
        for _ in range(1500):
            taken(log, log.held, Record(b"sub:ann", b"{"))
    assert log.malformed == 1500
    assert [(line["count"], line["partition"], line["offset"]) for line in said] == [(1, 3, 7), (1001, 3, 7)]


def test_what_there_is_no_room_for_is_said_loudly_and_not_each_time(log: RevocationLog) -> None:
    held = Revocations(most=1)
    with capture_logs() as said:
        for number in range(1200):
            taken(log, held, Record(b"jti:%d" % number, b"{}"))
    assert log.let_go == 1199
    assert [(line["log_level"], line["let_go"]) for line in said] == [("error", 1), ("error", 1001)]


def test_metrics_are_there_where_there_is_a_log(log: RevocationLog) -> None:
    taken(log, log.held, Record(b"jti:1", b"{}"), Record(b"nonsense", b"{}"))
    told, silent = CollectorRegistry(), CollectorRegistry()
    expose_revocations(log, told)
    expose_revocations(None, silent)
    names = ("", "_lag", "_as_of_seconds", "_malformed_total", "_let_go_total")

    def values(registry: CollectorRegistry) -> list[Any]:
        return [registry.get_sample_value(f"watchroute_revocations{name}") for name in names]

    assert values(told) == [1, 0, 0, 1, 0]
    assert values(silent) == [None] * 5
