"""A Kafka producer whose writes expire.

aiokafka repeats an idempotent write until it succeeds, be it an hour later: long after the writer was told that the
outcome is unknown, a stale value would overwrite newer ones. Here a write is not sent again once it is older than the
timeout, as with `delivery.timeout.ms` of the Java client.
"""

from typing import Any, Final

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import MessageBatch
from aiokafka.producer.sender import Sender, SendProduceReqHandler

from shared.kafka import KafkaSettings, producer_options

CLIENT_ID: Final = "watchroute-producer"
RECORD_OVERHEAD_BYTES: Final = 64 * 1024
"""What a request may have besides one value: key, headers, and the frame around them."""
_RETRY_BACKOFF_MS: Final = 50


class ExpiringProducer(AIOKafkaProducer):
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
        options["max_request_size"] = max_value_bytes + RECORD_OVERHEAD_BYTES
        options["retry_backoff_ms"] = _RETRY_BACKOFF_MS
        if transactional_id is not None:
            options["transactional_id"] = transactional_id
            # What a lost transaction holds back from every reader, for this long.
            options["transaction_timeout_ms"] = int(ack_timeout_s * 1000)
        super().__init__(**options)
        self._sender: Sender = _ExpiringSender(
            self.client,
            acks=-1,
            txn_manager=self._txn_manager,
            message_accumulator=self._message_accumulator,
            retry_backoff_ms=_RETRY_BACKOFF_MS,
            request_timeout_ms=options["request_timeout_ms"],
        )


class _ExpiringSender(Sender):
    async def _send_produce_req(self, node_id: int, batches: dict[TopicPartition, MessageBatch]) -> None:
        await _ExpiringHandler(self, batches).do(node_id)
        self._in_flight.remove(node_id)
        for partition in batches:
            self._muted_partitions.remove(partition)


class _ExpiringHandler(SendProduceReqHandler):
    def _can_retry(self, error: KafkaError, batch: Any) -> bool:
        return error.retriable and not batch.expired()
