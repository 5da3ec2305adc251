"""Topics by Kafka's admin calls: what is there, and making what isn't."""

from collections.abc import Iterable
from types import TracebackType
from typing import Any, Final, Self

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    IncompatibleBrokerVersion,
    KafkaError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
    for_code,
)

from cli.topic_plan import Finding, Found, Wanted, compare
from shared.errors import WatchrouteError
from shared.kafka import KafkaSettings, client_options

_CLIENT_ID: Final = "watchroute-topics"
_TIMEOUT_MS: Final = 15_000


class KafkaRefused(WatchrouteError):
    """Kafka did not do what was asked; the message says what and why."""


class NoAdminCalls(KafkaRefused):
    """This broker knows no admin calls, as the embedded one: it makes topics when it is first asked for them."""


class TopicAdmin:
    """A connection for admin calls; an async context manager, whose entry raises KafkaRefused."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._bootstrap = kafka.bootstrap
        self._client = AIOKafkaAdminClient(**client_options(kafka, _CLIENT_ID))

    async def __aenter__(self) -> Self:
        try:
            await self._client.start()
        except (KafkaError, OSError) as error:
            await self._client.close()
            raise KafkaRefused(f"Kafka at {self._bootstrap} does not answer: {reason(error)}") from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()

    async def compare(self, wanted: Iterable[Wanted]) -> list[Finding]:
        """Ask for the wanted topics, and compare; raises KafkaRefused."""
        wanted = list(wanted)
        try:
            return compare(wanted, {topic.topic: found for topic in wanted if (found := await self._find(topic.topic))})
        except IncompatibleBrokerVersion:
            raise NoAdminCalls(f"the broker at {self._bootstrap} knows no admin calls") from None
        except (KafkaError, OSError) as error:
            raise KafkaRefused(f"Kafka doesn't describe the topics: {reason(error)}") from error

    async def create(self, topic: Wanted) -> None:
        """Create one; that it has been made in between is no error. Raises KafkaRefused."""
        new = NewTopic(topic.topic, topic.partitions, topic.replication, topic_configs=dict(topic.config))
        try:
            answer = await self._client.create_topics([new], timeout_ms=_TIMEOUT_MS)
            for _, code, *message in answer.topic_errors:
                _raise_for(code, *message)
        except TopicAlreadyExistsError:
            return
        except (KafkaError, OSError) as error:
            raise KafkaRefused(f"Kafka doesn't create the topic {topic.topic}: {reason(error)}") from error

    async def _find(self, name: str) -> Found | None:
        try:
            (topic,) = await self._client.describe_topics([name])
            _raise_for(topic["error_code"])
            partitions = topic["partitions"]
            return Found(len(partitions), len(partitions[0]["replicas"]), await self._config(name))
        except UnknownTopicOrPartitionError:
            return None

    async def _config(self, name: str) -> dict[str, str]:
        (answer,) = await self._client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
        ((code, message, _, _, entries),) = answer.resources
        _raise_for(code, message)
        return {key: value for key, value, *_ in entries if value is not None}


def reason(error: Exception) -> str:
    """What an error says, for a person."""
    return str(error) or type(error).__name__


def _raise_for(code: int, *message: Any) -> None:
    if code:
        raise for_code(code)(*filter(None, message))
