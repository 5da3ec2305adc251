"""What an error of Kafka means for the write that met it: the only place that translates them."""

from typing import Final

from aiokafka import errors

from shared.problem import Problem

NOT_WRITTEN: Final = "not_written"
UNKNOWN: Final = "unknown"
WRITTEN: Final = "written"

_TOO_LARGE: Final = (errors.MessageSizeTooLargeError, errors.RecordListTooLargeError)
_FORBIDDEN: Final = (
    errors.TopicAuthorizationFailedError,
    errors.ClusterAuthorizationFailedError,
    errors.TransactionalIdAuthorizationFailed,
)
_NO_TOPIC: Final = (errors.UnknownTopicOrPartitionError, errors.InvalidTopicError)
_REFUSED: Final = (
    errors.OutOfOrderSequenceNumber,
    errors.InvalidTimestampError,
    errors.UnsupportedForMessageFormatError,
)


def refusal(error: errors.KafkaError, topic: str) -> Problem:
    """The problem that a writer to `topic` is answered with; its member `outcome` says what became of the write."""
    if isinstance(error, _TOO_LARGE):
        return Problem("too_large", f"the brokers take no record of this size for topic {topic!r}", outcome=NOT_WRITTEN)
    if isinstance(error, _FORBIDDEN):
        return Problem("forbidden", f"Kafka doesn't let this service write to topic {topic!r}", outcome=NOT_WRITTEN)
    if isinstance(error, _NO_TOPIC):
        return no_topic(topic)
    if isinstance(error, _REFUSED):
        return unavailable(f"Kafka refused the write ({type(error).__name__}); nothing was written")
    return unknown(f"Kafka did not acknowledge the write ({type(error).__name__})")


def no_topic(topic: str) -> Problem:
    """The collection's topic isn't there."""
    return unavailable(f"the topic {topic!r} does not exist (`watchroute topics ensure` creates it)")


def unavailable(detail: str) -> Problem:
    """Kafka can't be written to, and the write is certainly not in it."""
    return Problem("unavailable", detail, outcome=NOT_WRITTEN)


def unknown(detail: str) -> Problem:
    """The write may or may not be in Kafka."""
    return Problem("unavailable", f"{detail}: it may or may not have been written", outcome=UNKNOWN)
