"""What errors of Kafka mean to a writer."""

import inspect

import pytest
from aiokafka import errors

from services.producer.refusal import refusal

CASES = [
    (errors.MessageSizeTooLargeError, "too_large", 413, "not_written"),
    (errors.RecordListTooLargeError, "too_large", 413, "not_written"),
    (errors.TopicAuthorizationFailedError, "forbidden", 403, "not_written"),
    (errors.ClusterAuthorizationFailedError, "forbidden", 403, "not_written"),
    (errors.UnknownTopicOrPartitionError, "unavailable", 503, "not_written"),
    (errors.OutOfOrderSequenceNumber, "unavailable", 503, "not_written"),
    (errors.NotEnoughReplicasAfterAppendError, "unavailable", 503, "unknown"),
    (errors.RequestTimedOutError, "unavailable", 503, "unknown"),
    (errors.KafkaConnectionError, "unavailable", 503, "unknown"),
    (errors.NodeNotReadyError, "unavailable", 503, "unknown"),
]


@pytest.mark.parametrize(("error", "code", "status", "outcome"), CASES, ids=[case[0].__name__ for case in CASES])
def test_an_error_has_a_code_and_an_outcome(
    error: type[errors.KafkaError], code: str, status: int, outcome: str
) -> None:
    problem = refusal(error(), "stocks")
    assert (problem.code, problem.status, problem.members["outcome"]) == (code, status, outcome)


def test_every_error_that_there_is_can_be_told() -> None:
    for kind in vars(errors).values():
        if inspect.isclass(kind) and issubclass(kind, errors.KafkaError):
            problem = refusal(kind.__new__(kind), "stocks")
            assert problem.members["outcome"] in {"not_written", "unknown"}
            assert ("may or may not" in problem.detail) == (problem.members["outcome"] == "unknown")
