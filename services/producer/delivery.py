"""A Kafka producer whose writes expire.

aiokafka repeats an idempotent write until it succeeds, be it an hour later: long after the writer was told that the
outcome is unknown, a stale value would overwrite newer ones. Here a write is not sent again once it is older than the
timeout, as with `delivery.timeout.ms` of the Java client.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, ProducerClosed
from aiokafka.producer.sender import SendProduceReqHandler
from aiokafka.producer.transaction_manager import TransactionState
from aiokafka.structs import RecordMetadata

from services.producer.write import Write
from shared.kafka import KafkaSettings, producer_options

CLIENT_ID: Final = "watchroute-producer"
_RECORD_OVERHEAD_BYTES: Final = 64 * 1024
"""What a request may have besides one value: key, headers, and the frame around them."""
_RETRY_BACKOFF_MS: Final = 50
_OPEN: Final = frozenset({TransactionState.IN_TRANSACTION, TransactionState.ABORTABLE_ERROR})


class ExpiringProducer:
    """An idempotent, `acks=all` producer that gives a write up after `ack_timeout_s`.

    A write is repeated during the first half of that time, and the last attempt may take the other half. After a
    write has failed, the broker refuses whatever follows it in its partition (a gap in the sequence): the producer
    must be replaced. With `transactional_id` it writes in transactions only.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        *,
        ack_timeout_s: float,
        max_value_bytes: int,
        transactional_id: str | None = None,
    ) -> None:
        options = producer_options(kafka, CLIENT_ID)
        options["request_timeout_ms"] = min(options["request_timeout_ms"], int(ack_timeout_s * 500))
        options["max_request_size"] = max_value_bytes + _RECORD_OVERHEAD_BYTES
        options["retry_backoff_ms"] = _RETRY_BACKOFF_MS
        if transactional_id is not None:
            # A lost transaction holds back every reader that wants committed records, for this long.
            options |= {"transactional_id": transactional_id, "transaction_timeout_ms": int(ack_timeout_s * 1000)}
        self._producer = AIOKafkaProducer(**options)
        self._sender: Any = self._producer._sender  # noqa: SLF001 -- see _expire
        self._sending: set[asyncio.Task[Any]] = set()
        self._bootstrap: asyncio.Task[None] | None = None
        _expire(self._sender, self._sending)

    @property
    def client(self) -> AIOKafkaClient:
        """The connections."""
        client: AIOKafkaClient = self._producer.client
        return client

    async def start(self) -> None:
        """Connect; raises KafkaError. When it raises or is cancelled, the producer must be discarded."""
        # Cancelled at the wrong moment, it would leave a connection open: it ends by itself before long.
        self._bootstrap = asyncio.create_task(self.client.bootstrap())
        await asyncio.shield(self._bootstrap)
        await self._sender.start()

    async def send(self, write: Write) -> asyncio.Future[RecordMetadata]:
        """Take a write in, when there is room; raises KafkaError. Cancelled, it has not taken it."""
        future: asyncio.Future[RecordMetadata] = await self._producer.send(
            write.topic, write.value, write.id.encode(), timestamp_ms=write.time_ms, headers=write.headers
        )
        return future

    async def begin(self) -> None:
        """Open a transaction."""
        await self._producer.begin_transaction()

    async def commit(self) -> None:
        """Commit the open transaction; raises KafkaError."""
        await self._producer.commit_transaction()

    async def discard(self, within_s: float) -> None:
        """Abort the transaction under way or write what was begun, and disconnect.

        After `within_s` what is left fails with ProducerClosed.
        """
        try:
            async with asyncio.timeout(within_s):
                await _ended(self._bootstrap)
                await self._abort_if_open()
                await self._producer.stop()
        except TimeoutError:
            await self._kill()

    async def _kill(self) -> None:
        tasks = {task for task in (*self._sending, self._sender.sender_task, self._bootstrap) if task is not None}
        for task in tasks:
            task.cancel()
        for task in tasks:
            await _ended(task)
        accumulator: Any = self._producer._message_accumulator  # noqa: SLF001 -- nobody else fails what waits in it
        for batches in accumulator._batches.values():  # noqa: SLF001 -- the same
            for batch in batches:
                # Else each would complain that nobody asked for the error of its being drained.
                batch.drain_ready()
        accumulator.fail_all(ProducerClosed())
        await self._producer.stop()
        await self.client.close()

    async def _abort_if_open(self) -> None:
        if self._producer._txn_manager.state in _OPEN:  # noqa: SLF001 -- it can't be asked otherwise
            # The next producer of this transactional id aborts it, if this one can't.
            with contextlib.suppress(KafkaError):
                await self._producer.abort_transaction()


async def _ended(task: asyncio.Task[Any] | None) -> None:
    if task is not None:
        await asyncio.wait((task,))
        # Asked for, so that asyncio doesn't complain that nobody did.
        _ = task.cancelled() or task.exception()


def _expire(sender: Any, sending: set[asyncio.Task[Any]]) -> None:
    """Let the sender give up the batches that are too old, and keep its tasks in `sending`.

    A test fails when a new version of aiokafka moves this.
    """

    async def send_batches(node_id: int, batches: Mapping[Any, Any]) -> None:
        _track(asyncio.current_task(), sending)
        handler: Any = SendProduceReqHandler(sender, batches)
        handler._can_retry = _may_repeat  # noqa: SLF001 -- the one decision of it that is to be another
        await handler.do(node_id)
        sender._in_flight.remove(node_id)  # noqa: SLF001 -- as the method does that this one replaces
        for partition in batches:
            sender._muted_partitions.remove(partition)  # noqa: SLF001 -- the same

    begin_request = sender._maybe_do_transactional_request  # noqa: SLF001 -- makes the sender's other tasks

    def begin_tracked() -> asyncio.Task[Any] | None:
        return _track(begin_request(), sending)

    sender._send_produce_req = send_batches  # noqa: SLF001 -- the only place where handlers are made
    sender._maybe_do_transactional_request = begin_tracked  # noqa: SLF001 -- see above


def _track(task: asyncio.Task[Any] | None, tasks: set[asyncio.Task[Any]]) -> asyncio.Task[Any] | None:
    if task is not None:
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    return task


def _may_repeat(error: KafkaError, batch: Any) -> bool:
    return bool(error.retriable) and not batch.expired()
