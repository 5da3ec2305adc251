"""Transactions: many records, all of them or none."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from aiokafka.errors import KafkaError
from aiokafka.structs import RecordMetadata

from services.producer.delivery import ExpiringProducer
from services.producer.refusal import UNKNOWN, refusal, unavailable, unknown
from services.producer.write import Write
from shared.problem import Problem

_END_WITHIN_S: Final = 5.0


class Transactor:
    """Writes one transaction after another, with a producer of its own that is connected when first needed.

    `connect` makes producers of one transactional id: a new one ends what its predecessor left open. Deadlines are
    times of the event loop.
    """

    def __init__(self, connect: Callable[[], ExpiringProducer]) -> None:
        self._connect = connect
        self._producer: ExpiringProducer | None = None
        self._turn = asyncio.Lock()
        self._ending: set[asyncio.Task[None]] = set()

    async def write(self, writes: Sequence[Write], deadline: float) -> list[RecordMetadata]:
        """Where each of the records is, once all are committed; raises Problem: nothing was written, or `unknown`."""
        try:
            async with asyncio.timeout_at(deadline):
                await self._turn.acquire()
        except TimeoutError:
            raise unavailable("other transactions took too long; nothing was written") from None
        try:
            return await self._write(writes, deadline)
        except BaseException:
            self._discard()
            raise
        finally:
            self._turn.release()

    async def stop(self) -> None:
        """Disconnect; a transaction under way is aborted."""
        self._discard()
        if self._ending:
            await asyncio.wait(self._ending)

    async def _write(self, writes: Sequence[Write], deadline: float) -> list[RecordMetadata]:
        try:
            async with asyncio.timeout_at(deadline):
                producer = await self._connected()
                await producer.begin()
                written = await _send_all(producer, writes)
        except (KafkaError, OSError, TimeoutError) as error:
            raise unavailable(f"Kafka took no transaction ({type(error).__name__}); nothing was written") from error
        try:
            async with asyncio.timeout_at(deadline):
                await producer.commit()
        except (KafkaError, TimeoutError) as error:
            raise unknown(f"Kafka did not say that it committed the transaction ({type(error).__name__})") from error
        return written

    async def _connected(self) -> ExpiringProducer:
        if self._producer is None:
            self._producer = self._connect()
            await self._producer.start()
        return self._producer

    def _discard(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            task = asyncio.create_task(producer.discard(_END_WITHIN_S))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)


async def _send_all(producer: ExpiringProducer, writes: Sequence[Write]) -> list[RecordMetadata]:
    sent = []
    for write in writes:
        future = await producer.send(write)
        future.add_done_callback(_retrieve)
        sent.append(future)
    return [await _written(write, future) for write, future in zip(writes, sent, strict=True)]


def _retrieve(future: asyncio.Future[RecordMetadata]) -> None:
    # After the first failure nobody waits for the others, and asyncio would complain of each.
    if not future.cancelled():
        future.exception()


async def _written(write: Write, future: asyncio.Future[RecordMetadata]) -> RecordMetadata:
    try:
        return await future
    except KafkaError as error:
        raise _refused(error, write.topic) from error


def _refused(error: KafkaError, topic: str) -> Problem:
    problem = refusal(error, topic)
    if problem.members["outcome"] == UNKNOWN:
        # Uncommitted is unwritten, for every reader of ours.
        return unavailable(f"Kafka did not take the transaction ({type(error).__name__}); nothing was written")
    return problem
