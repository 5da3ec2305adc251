"""How far the server's clock is ahead of the records' is found from what arrives live, as operators see it."""

import time

import pytest
from prometheus_client import CollectorRegistry

from services.pushserver.app import PushServer
from services.pushserver.metrics import expose
from tests.support.broker import Broker
from tests.support.records import RawRecord, produce
from tests.support.server import eventually, push_server, running
from tests.support.topics import Topics

pytestmark = pytest.mark.real_kafka

HOUR_MS = 3_600_000


def shown(server: PushServer) -> float | None:
    """What its metric says."""
    registry = CollectorRegistry()
    expose(server.hub, server.source, server.pause, registry)
    return registry.get_sample_value("watchroute_clock_ahead_seconds")


async def write(broker: Broker, topic: str, *, ago_ms: int) -> None:
    """A record that is dated as by a clock that is behind ours by so much."""
    dated = int(time.time() * 1000) - ago_ms
    await produce(broker.bootstrap, topic, [RawRecord(b"a", b"1", timestamp_ms=dated)])


async def test_records_that_arrive_live_show_it_and_those_of_the_past_do_not(broker: Broker, topics: Topics) -> None:
    topic = await topics.create()
    await write(broker, topic, ago_ms=20 * HOUR_MS)
    server = push_server(broker.bootstrap, {"items": {"topic": topic}})
    async with running(server):
        assert shown(server) is None
        await write(broker, topic, ago_ms=HOUR_MS)
        await eventually(lambda: shown(server) is not None, "a record has arrived")
        assert shown(server) == pytest.approx(HOUR_MS / 1000, abs=10)
        await write(broker, topic, ago_ms=0)
        await eventually(lambda: (shown(server) or 0) < 10, "another one has")
