"""Transactions: many records, all of them or none."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from aiokafka.errors import KafkaError
from aiokafka.structs import RecordMetadata

from services.producer.delivery import ExpiringProducer
from services.producer.refusal import refusal, unavailable, unknown
from services.producer.write import Write
from shared.problem import Problem
from shared.telemetry import logger

_log = logger("producer")


class Transactor:
    """Writes one transaction after another, with a producer of its own that is connected when first needed.

    `connect` makes producers of one transactional id: a new one ends what its predecessor left open.
    """

    def __init__(self, connect: Callable[[], ExpiringProducer]) -> None:
        self._connect = connect
        self._producer: ExpiringProducer | None = None
        self._lock = asyncio.Lock()
        self._ending: set[asyncio.Task[None]] = set()

    async def write(self, writes: Sequence[Write], deadline: float) -> list[RecordMetadata]:
        """Where each of the records is, once all are committed; raises Problem: nothing was written, or `unknown`.

        `deadline` is a time of the event loop.
        """
        try:
            async with asyncio.timeout_at(deadline), self._lock:
                return await self._write(writes, deadline)
        except TimeoutError:
            raise unavailable("Kafka did not take the transaction in time; nothing was written") from None

    async def stop(self) -> None:
        """Disconnect; a transaction under way is aborted."""
        self._discard()
        if self._ending:
            await asyncio.wait(self._ending)

    async def _write(self, writes: Sequence[Write], deadline: float) -> list[RecordMetadata]:
        try:
            producer = await self._connected()
            await producer.begin_transaction()
            written = await _send(producer, writes)
        except BaseException:
            self._discard()
            raise
        await self._commit(producer, deadline)
        return written

    async def _commit(self, producer: ExpiringProducer, deadline: float) -> None:
        try:
            async with asyncio.timeout_at(deadline):
                await producer.commit_transaction()
        except (KafkaError, TimeoutError) as error:
            self._discard()
            raise unknown(f"Kafka did not say that it committed the transaction ({type(error).__name__})") from error
        except BaseException:
            self._discard()
            raise

    async def _connected(self) -> ExpiringProducer:
        if self._producer is None:
            producer = self._producer = self._connect()
            try:
                await producer.start()
            except (KafkaError, OSError) as error:
                raise unavailable(f"Kafka does not answer ({type(error).__name__}); nothing was written") from error
        return self._producer

    def _discard(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            task = asyncio.create_task(_end(producer))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)
