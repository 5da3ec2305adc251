"""The publisher: writes of a program or of the HTTP service, to Kafka and acknowledged by it."""

import asyncio
import os
import secrets
import socket
from collections.abc import Iterable, Sequence
from typing import Any, Self

from services.producer.delivery import ExpiringProducer
from services.producer.dispatch import Dispatch, Place, Sent
from services.producer.epochs import Epochs
from services.producer.in_flight import InFlight
from services.producer.link import Link
from services.producer.metrics import ACK_SECONDS, count
from services.producer.refusal import WRITTEN
from services.producer.settings import ProducerSettings
from services.producer.transaction import Delete, Put, Transaction
from services.producer.transactor import Transactor
from services.producer.write import Ack, Write
from shared.catalog import Catalog
from shared.cursor import Segment, encode_cursor, scope_tag
from shared.kafka import KafkaSettings
from shared.problem import Problem


class Publisher:
    """Writes resources; an async context manager, which starts whether or not Kafka is there.

    Every write is answered within `settings.ack_timeout_s`: by an Ack once all replicas in sync have it, or by a
    Problem. A Problem of Kafka's says by its member `outcome` what became of the write: `not_written`, `unknown`, or
    `written`. Writes of one resource that are made one after the other arrive in that order.

    Data as bytes is JSON text and written as it is; anything else is encoded as JSON. Attributes are those of
    CloudEvents (`type`, `source`, `id`, extensions) and `traceparent`.
    """

    def __init__(self, kafka: KafkaSettings, catalog: Catalog, settings: ProducerSettings | None = None) -> None:
        self._kafka = kafka
        self._settings = settings = settings or ProducerSettings()
        self._largest = max((collection.settings.max_value_bytes for collection in catalog), default=0)
        self._transactional_id = f"watchroute-{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._epochs = Epochs(catalog)
        self._link = Link(
            self._connect, self._epochs, check_s=settings.identity_check_s, answer_s=settings.ack_timeout_s / 2
        )
        self._in_flight = InFlight(settings.max_in_flight, settings.max_in_flight_bytes)
        self._dispatch = Dispatch(self._link, self._epochs, self._in_flight, create_topics=settings.create_topics)
        self._transactor = Transactor(lambda: self._connect(self._transactional_id))
        self.catalog = catalog

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Begin to connect; returns at once."""
        self._link.start()

    async def stop(self) -> None:
        """Let what was begun end, within about the time of an acknowledgement, and disconnect."""
        await asyncio.gather(self._link.stop(), self._transactor.stop())

    async def wait(self) -> None:
        """Never return; raise what ended the work in the background, if anything ever does."""
        await self._link.wait()

    @property
    def not_ready(self) -> str | None:
        """Why writes would fail now, or None."""
        return self._link.not_ready

    async def put(self, resource: str, data: Any, **attributes: str) -> Ack:
        """Replace the state of `collection/id`; raises Problem."""
        return await self.deliver(Put(resource, data, attributes).prepare(self.catalog))

    async def delete(self, resource: str, **attributes: str) -> Ack:
        """Delete `collection/id`, whether or not it is there; raises Problem."""
        return await self.deliver(Delete(resource, attributes).prepare(self.catalog))

    async def put_many(self, changes: Iterable[Put | Delete]) -> list[Ack | Problem]:
        """Make many changes; the answers are in their order, and one that is refused doesn't stop the others."""
        prepared = [_prepared(change, self.catalog) for change in changes]
        answers = iter(await self.deliver_many([write for write in prepared if isinstance(write, Write)]))
        return [write if isinstance(write, Problem) else next(answers) for write in prepared]

    def transaction(self) -> Transaction:
        """Changes that are all made or none: `async with publisher.transaction() as changes: changes.put(…)`.

        They are written in one Kafka transaction when the block ends, and none when it raises; `changes.acks` are the
        answers. Leaving the block raises Problem when they were not all written.
        """
        return Transaction(self.catalog, self.deliver_together)

    async def deliver(self, write: Write) -> Ack:
        """Make one prepared write; raises Problem."""
        (answer,) = await self.deliver_many((write,))
        if isinstance(answer, Problem):
            raise answer
        return answer

    async def deliver_many(self, writes: Sequence[Write]) -> list[Ack | Problem]:
        """Make prepared writes, each on its own."""
        deadline = self._deadline()
        sent = [await self._dispatch.send(write, deadline) for write in writes]
        answers = [await self._answer(write, way, deadline) for write, way in zip(writes, sent, strict=True)]
        count(answers)
        return answers

    async def deliver_together(self, writes: Sequence[Write]) -> list[Ack]:
        """Make prepared writes in one transaction; raises Problem when they were not all written."""
        try:
            acks = await self._commit(writes) if writes else []
        except Problem as problem:
            count([problem] * len(writes))
            raise
        count(acks)
        return acks

    def _connect(self, transactional_id: str | None = None) -> ExpiringProducer:
        return ExpiringProducer(
            self._kafka,
            ack_timeout_s=self._settings.ack_timeout_s,
            max_value_bytes=self._largest,
            transactional_id=transactional_id,
        )

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + self._settings.ack_timeout_s

    async def _commit(self, writes: Sequence[Write]) -> list[Ack]:
        deadline = self._deadline()
        for topic in {write.topic for write in writes}:
            await self._dispatch.require_topic(topic)
        size = sum(write.size for write in writes)
        self._in_flight.take(size, len(writes))
        try:
            placed = await self._transactor.write(writes, deadline)
        finally:
            self._in_flight.give(size, len(writes))
        acks = []
        for write, written in zip(writes, placed, strict=True):
            doubtful = self._epochs.observe(write.topic, written.partition, written.offset)
            answer = await self._ack(write, Place(written.partition, written.offset, doubtful), deadline)
            if isinstance(answer, Problem):
                raise answer
            acks.append(answer)
        return acks

    async def _answer(self, write: Write, sent: Sent | Problem, deadline: float) -> Ack | Problem:
        if isinstance(sent, Problem):
            return sent
        place = await self._dispatch.place(sent, deadline)
        if isinstance(place, Problem):
            return place
        ACK_SECONDS.observe(asyncio.get_running_loop().time() - deadline + self._settings.ack_timeout_s)
        return await self._ack(write, place, deadline)

    async def _ack(self, write: Write, place: Place, deadline: float) -> Ack | Problem:
        known = not place.doubtful or await self._ask_again(deadline)
        epoch = self._epochs.epoch(write.topic)
        if epoch is None or not known:
            return Problem("unavailable", "the write is stored, but Kafka doesn't say in which log", outcome=WRITTEN)
        collection = write.collection
        segment = Segment(collection.tag, epoch, (scope_tag(write.resource),), {place.partition: place.offset + 1})
        return Ack(write.resource, str(place.offset), encode_cursor([segment]))

    async def _ask_again(self, deadline: float) -> bool:
        try:
            async with asyncio.timeout_at(deadline):
                await self._link.ask()
        except TimeoutError:
            return False
        return self._link.down is None


def _prepared(change: Put | Delete, catalog: Catalog) -> Write | Problem:
    try:
        return change.prepare(catalog)
    except Problem as problem:
        return problem
