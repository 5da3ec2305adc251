from collections.abc import Iterable
from typing import Any, cast

import pytest

from cli import steady
from cli.steady import SteadyPublisher
from services.producer.publisher import Publisher
from services.producer.transaction import Delete, Put
from shared.problem import Problem

AWAY = Problem("unavailable", "Kafka is away")


class Refusing:
    """A Publisher that refuses everything, and remembers what."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def put(self, resource: str, _: Any, **_attributes: str) -> None:
        self.asked.append(resource)
        raise AWAY

    async def delete(self, resource: str) -> None:
        self.asked.append(resource)
        raise AWAY

    async def put_many(self, changes: Iterable[Put | Delete]) -> list[Problem]:
        self.asked += [change.resource for change in changes]
        return [AWAY for _ in self.asked]


async def test_what_is_refused_is_forgotten_after_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steady, "_PAUSE_S", 0.0)
    publisher = Refusing()
    steadily = SteadyPublisher(cast("Publisher", publisher))
    await steadily.put("stocks/A", 1)
    await steadily.delete("stocks/B")
    await steadily.put_many({"stocks/C": 1, "stocks/D": 2})
    assert publisher.asked == ["stocks/A", "stocks/B", "stocks/C", "stocks/D"]
