"""The publisher over the embedded broker, which makes topics on first use."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from shared.embedded import EmbeddedBroker
from shared.problem import Problem
from tests.integration.producing import catalog_of, publishing
from tests.support.topics import unique_name


@pytest_asyncio.fixture(loop_scope="session")
async def bootstrap() -> AsyncIterator[str]:
    broker = EmbeddedBroker()
    yield broker.start()
    broker.stop()


async def test_a_missing_topic_is_not_made_by_mistake(bootstrap: str) -> None:
    async with publishing(bootstrap, catalog_of(stocks=unique_name())) as publisher:
        for _ in range(2):
            with pytest.raises(Problem, match="does not exist"):
                await publisher.put("stocks/a", 1)


async def test_a_missing_topic_is_made_where_that_is_wanted(bootstrap: str) -> None:
    topic = unique_name()
    async with publishing(bootstrap, catalog_of(stocks=topic), create_topics=True) as publisher:
        acks = [await publisher.put("stocks/a", number) for number in range(3)]
        async with publisher.transaction() as changes:
            changes.put("stocks/b", 1)
            changes.delete("stocks/a")
    assert [ack.version for ack in acks] == ["0", "1", "2"]
    assert [ack.resource for ack in changes.acks] == ["stocks/b", "stocks/a"]
    assert int(changes.acks[1].version) > 2
