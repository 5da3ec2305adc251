"""Publishing through Kafka as any producer would, with as little CPU as it takes while something is measured."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner

from load.bench.plan import Plan, Step
from load.bench.specimen import now_ns, value
from shared.event import encode_headers

Headers = Sequence[tuple[str, bytes]]
_BATCH_BYTES: Final = 900_000
"""Below the broker's limit of a megabyte for what is written at once."""
_TICK_S: Final = 0.002
_HEADROOM: Final = 600
"""More than a record of ours takes, headers included."""


class Publisher:
    """A producer without transactions, acknowledged by all replicas."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._partitioner = DefaultPartitioner()

    async def paced(self, topic: str, plan: Plan, per_s: float) -> None:
        """Publish at a steady rate, each change when it is due; returns when all are acknowledged."""
        acknowledged = []

        async def send(step: Step) -> None:
            sent = now_ns()
            acknowledged.append(await self._send(topic, step, sent))

        await pace(plan, per_s, send)
        await asyncio.gather(*acknowledged)

    async def one(self, topic: str, step: Step) -> int:
        """Publish one change; returns when its acknowledgement was here."""
        await (await self._send(topic, step, now_ns()))
        return now_ns()

    async def at_once(self, topic: str, plan: Plan, *, last: bool = True) -> int:
        """Publish everything in batches that are made beforehand; returns when the first one was sent.

        `last=False`: no value says that it is the last one.
        """
        batches = await self._batches(topic, plan, last=last)
        began_ns = now_ns()
        sent = [await self._producer.send_batch(batch, topic, partition=partition) for partition, batch in batches]
        await asyncio.gather(*sent)
        return began_ns

    async def _send(self, topic: str, step: Step, sent_ns: int) -> Awaitable[Any]:
        acknowledgement: Awaitable[Any] = await self._producer.send(
            topic,
            key=step.resource_id.encode(),
            value=value(step.seq, sent_ns, last=step.last),
            headers=_headers(step.resource_id),
        )
        return acknowledgement

    async def _batches(self, topic: str, plan: Plan, *, last: bool) -> list[tuple[int, Any]]:
        partitions = sorted(await self._producer.partitions_for(topic))
        open_batches: dict[int, Any] = {}
        done: list[tuple[int, Any]] = []
        # The same headers for all: making them would take longer than all the rest.
        headers = _headers("R")
        for step in plan:
            key = step.resource_id.encode()
            partition = self._partitioner(key, partitions, partitions)
            batch = open_batches.get(partition)
            if batch is None or batch.size() > _BATCH_BYTES - _HEADROOM:
                batch = open_batches[partition] = self._producer.create_batch()
                done.append((partition, batch))
            batch.append(
                key=key, value=value(step.seq, now_ns(), last=step.last and last), timestamp=None, headers=headers
            )
        return done


async def pace(plan: Plan, per_s: float, send: Callable[[Step], Awaitable[None]]) -> None:
    """Call `send` for each change when it is due; what is overdue goes at once."""
    began = time.monotonic()
    for number, step in enumerate(plan):
        ahead_s = began + number / per_s - time.monotonic()
        if ahead_s > _TICK_S / 2:
            # Timers have a resolution of a millisecond: at high rates a few changes go together.
            await asyncio.sleep(max(ahead_s, _TICK_S))
        await send(step)


@asynccontextmanager
async def publishing(bootstrap: str) -> AsyncIterator[Publisher]:
    """A publisher that is connected."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        max_batch_size=_BATCH_BYTES,
        max_request_size=_BATCH_BYTES + 100_000,
    )
    try:
        await producer.start()
        yield Publisher(producer)
    finally:
        await producer.stop()


def _headers(resource_id: str) -> list[tuple[str, bytes]]:
    """As our own producer service writes them: their decoding is part of every figure."""
    now_ms = int(time.time() * 1000)
    return encode_headers(resource_id, now_ms, {"type": "price.changed", "id": "AAAAAAAAAAAAAAAA"}, collection="bench")
