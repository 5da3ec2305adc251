"""A publisher for made-up data: when Kafka is away it says so, and waits."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from services.producer.publisher import Publisher
from services.producer.transaction import Put
from shared.problem import Problem
from shared.telemetry import logger

_PAUSE_S: Final = 1.0
_log = logger("demo")


class SteadyPublisher:
    """Writes what can be written. A refusal is a line of the log and a pause of a second, and then forgotten."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    async def put(self, resource: str, data: Any, **attributes: str) -> None:
        """Replace the state of `collection/id`."""
        try:
            await self._publisher.put(resource, data, **attributes)
        except Problem as problem:
            await self._wait(resource, problem)

    async def put_many(self, states: Mapping[str, Any]) -> None:
        """Replace many states, by resource."""
        answers = await self._publisher.put_many(Put(resource, data) for resource, data in states.items())
        for resource, answer in zip(states, answers, strict=True):
            if isinstance(answer, Problem):
                await self._wait(resource, answer)
                return

    async def delete(self, resource: str) -> None:
        """Delete `collection/id`."""
        try:
            await self._publisher.delete(resource)
        except Problem as problem:
            await self._wait(resource, problem)

    async def _wait(self, resource: str, problem: Problem) -> None:
        _log.warning("it was not published", resource=resource, reason=problem.detail)
        await asyncio.sleep(_PAUSE_S)
