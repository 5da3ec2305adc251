"""One write on its way: from the producer's hands to its place in the log."""

import asyncio
from typing import NamedTuple

from aiokafka.errors import KafkaError, MessageSizeTooLargeError, ProducerClosed
from aiokafka.structs import RecordMetadata

from services.producer.delivery import ExpiringProducer
from services.producer.epochs import Epochs
from services.producer.in_flight import InFlight
from services.producer.link import Link
from services.producer.refusal import WRITTEN, no_topic, refusal, unavailable, unknown
from services.producer.write import Write
from shared.problem import Problem


class Place(NamedTuple):
    """Where a record is; `doubtful` when the identity of its log must be read again before it is told to anyone."""

    partition: int
    offset: int
    doubtful: bool


class Sent:
    """A write that the producer has taken: from here on it may be in Kafka."""

    def __init__(self, write: Write, producer: ExpiringProducer, future: asyncio.Future[RecordMetadata]) -> None:
        self.write = write
        self.producer = producer
        self.future = future
        self.doubtful = False


class Dispatch:
    """Sends writes and learns their places. Deadlines are times of the event loop; Problems are returned, not raised.

    `create_topics` leaves a missing topic to the broker, instead of refusing what is meant for it.
    """

    def __init__(self, link: Link, epochs: Epochs, in_flight: InFlight, *, create_topics: bool) -> None:
        self._link = link
        self._epochs = epochs
        self._in_flight = in_flight
        self._create_topics = create_topics

    async def send(self, write: Write, deadline: float) -> Sent | Problem:
        """Hand the write to the producer; an answer other than Sent says that nothing was written."""
        try:
            async with asyncio.timeout_at(deadline):
                await self.require_topic(write.topic)
                return await self._enqueue(write)
        except Problem as problem:
            return problem
        except TimeoutError:
            return unavailable("Kafka did not take the write in time; nothing was written")

    async def require_topic(self, topic: str) -> None:
        """Raise Problem `unavailable` when Kafka doesn't answer, or has no such topic."""
        await self._link.producer()
        if self._epochs.epoch(topic) is None and not self._create_topics:
            await self._link.ask()
            if self._epochs.epoch(topic) is None:
                await self._link.producer()
                raise no_topic(topic)

    async def place(self, sent: Sent, deadline: float) -> Place | Problem:
        """Wait for Kafka's acknowledgement."""
        await asyncio.wait((sent.future,), timeout=max(0.0, deadline - asyncio.get_running_loop().time()))
        if not sent.future.done():
            return unknown("Kafka did not acknowledge the write in time")
        try:
            written = sent.future.result()
        except KafkaError as error:
            return refusal(error, sent.write.topic)
        if written.offset < 0 or written.log_start_offset == -1:
            # A repeated write whose first attempt the broker remembers, but not where it put it.
            return Problem(
                "unavailable", "the write is stored, but Kafka doesn't say at which version", outcome=WRITTEN
            )
        return Place(written.partition, written.offset, sent.doubtful)

    async def _enqueue(self, write: Write) -> Sent:
        size = write.size
        self._in_flight.take(size)
        try:
            sent = await self._send(write)
        except BaseException:
            self._in_flight.give(size)
            raise
        sent.future.add_done_callback(lambda _: self._on_done(sent, size))
        return sent

    async def _send(self, write: Write) -> Sent:
        while True:
            producer = await self._link.producer()
            try:
                future = await producer.send(write)
            except ProducerClosed:
                # It was replaced while the write waited for room in it.
                continue
            except KafkaError as error:
                if not isinstance(error, MessageSizeTooLargeError):
                    self._link.replace(producer)
                raise refusal(error, write.topic) from error
            return Sent(write, producer, future)

    def _on_done(self, sent: Sent, size: int) -> None:
        # Called for the records of a partition in their order, which those who wait for them don't keep.
        self._in_flight.give(size)
        if sent.future.cancelled():
            return
        if sent.future.exception() is None:
            written = sent.future.result()
            sent.doubtful = self._epochs.observe(sent.write.topic, written.partition, written.offset)
        else:
            # What follows in this partition would leave a gap in the producer's sequence, and be refused.
            self._link.replace(sent.producer)
