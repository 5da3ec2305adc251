"""Making, changing and removing topics, each step finished when the broker's metadata shows it."""

import uuid
from collections.abc import Mapping
from typing import Any, Self

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from infra.cluster.deadline import until

_SET_ON_THE_TOPIC = 1
"""DescribeConfigs: the source of a value that was given for this topic, not inherited from the broker."""


def unique_name(prefix: str = "topic") -> str:
    """A topic name that no other test uses, and that is also a valid collection name."""
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


class Topics:
    """The topics of one Kafka; an async context manager.

    On the embedded broker (`real=False`) a topic comes with 4 partitions and no settings, whatever is asked,
    and nothing of it can be changed or removed.
    """

    def __init__(self, bootstrap: str, *, real: bool = True) -> None:
        self._real = real
        self._admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)

    async def __aenter__(self) -> Self:
        await self._admin.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._admin.close()

    async def create(
        self,
        name: str | None = None,
        *,
        partitions: int = 1,
        replication: int = 1,
        config: Mapping[str, str] | None = None,
    ) -> str:
        """Create a topic and return its name (a unique one when none is given)."""
        name = name or unique_name()
        if self._real:
            wanted = NewTopic(name, partitions, replication, topic_configs=dict(config or {}))
            _check(await self._admin.create_topics([wanted]))
            await self._until_partitions(name, partitions)
        else:
            # Asking for it is what makes it there.
            await self._admin.describe_topics([name])
        return name

    async def delete(self, name: str) -> None:
        """Delete a topic; returns when its name is free again."""
        _check(await self._admin.delete_topics([name]))

        async def gone() -> bool:
            return name not in await self._admin.list_topics()

        await until(gone, f"topic {name} is deleted")

    async def grow(self, name: str, partitions: int) -> None:
        """Raise the number of partitions to `partitions`."""
        await self._admin.create_partitions({name: NewPartitions(partitions)})
        await self._until_partitions(name, partitions)

    async def configure(self, name: str, config: Mapping[str, str]) -> None:
        """Set some of a topic's settings and keep the others as they are."""
        wanted = await self.config(name) | dict(config)
        responses = await self._admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, wanted)])
        for response in responses:
            for code, message, *_ in response.resources:
                _raise_for(code, message)

        async def shown() -> bool:
            return await self.config(name) == wanted

        await until(shown, f"the settings of {name} are {wanted}")

    async def config(self, name: str) -> dict[str, str]:
        """The settings that were given for this topic, without those it has from the broker."""
        (response,) = await self._admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
        ((code, message, _, _, entries),) = response.resources
        _raise_for(code, message)
        return {key: value for key, value, _, source, *_ in entries if source == _SET_ON_THE_TOPIC}

    async def partitions(self, name: str) -> list[dict[str, Any]]:
        """What the metadata says of each partition: `partition`, `leader`, `replicas`, `isr`; raises when not there."""
        (topic,) = await self._admin.describe_topics([name])
        _raise_for(topic["error_code"], name)
        described: list[dict[str, Any]] = topic["partitions"]
        return described

    async def _until_partitions(self, name: str, count: int) -> None:
        async def all_led() -> bool:
            (topic,) = await self._admin.describe_topics([name])
            led = [partition for partition in topic["partitions"] if partition["leader"] >= 0]
            return len(led) == count

        await until(all_led, f"topic {name} has {count} partitions with leaders")


def _check(response: Any) -> None:
    """Raise the first error of an answer to CreateTopics or DeleteTopics."""
    errors = getattr(response, "topic_errors", None) or getattr(response, "topic_error_codes", [])
    for name, code, *_ in errors:
        _raise_for(code, name)


def _raise_for(code: int, what: str | None) -> None:
    if code:
        raise for_code(code)(what)
