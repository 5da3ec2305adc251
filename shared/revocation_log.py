"""The revocation log: the control topic, followed from its beginning by explicit positions and without a group.

What a consumer of it has read is held until the next one has read to the end too: while Kafka is away everything that
was revoked stays so, and a topic that was cut or made anew is believed as a whole.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from shared.identity import Identity, read_identities
from shared.kafka import KafkaSettings, consumer_options, let_go
from shared.principal import Principal
from shared.revocations import RevocationMistake, Revocations
from shared.telemetry import logger

Told = Callable[[Callable[[Principal], bool]], object]
"""Is given whom the revocations concern now, each time that there are more, before anything else happens."""
_CLIENT_ID: Final = "watchroute-revocations"
_POLL_MS: Final = 1000
_AT_ONCE: Final = 2000
_GATHER_S: Final = 0.1
"""Who is told looks through all connections: ten times a second at most, however fast revocations come."""
_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 2.0
_WATCHDOG_S: Final = 15.0
_SAMPLE: Final = 1000
"""Of records that say nothing, and of revocations let go, the first and then every thousandth is logged."""
_log = logger("revocations")


class ReadAnew(Exception):
    """The topic has to be read from its beginning; the argument says why."""


class RevocationLog:
    """Follows the topic: `held` is what it says, `not_ready` says why that isn't known yet.

    `malformed` counts records that say nothing, and `let_go` what there was no room for, again each time they are
    read. `lag` is how many offsets Kafka is ahead, and `as_of_ms` when it was last known that nothing is missing.
    """

    def __init__(self, kafka: KafkaSettings, topic: str, *, check_s: float = 5.0) -> None:
        self.topic = topic
        self.held = Revocations()
        self.malformed = self.let_go = self.lag = self.as_of_ms = 0
        self._kafka = kafka
        self._check_s = check_s
        self._read = False
        self._trouble = "Kafka has not answered yet"
        self._fetched = (0, 0.0)

    @property
    def not_ready(self) -> str | None:
        """Why nobody can know which tokens are revoked, or None."""
        return None if self._read else f"revocations: {self._trouble}"

    async def run(self, told: Told | None = None) -> None:
        """Follow for ever; trouble with Kafka is waited out."""
        pause_s = _FIRST_PAUSE_S
        while True:
            began = time.monotonic()
            try:
                await self._live(told)
            except ReadAnew as reason:
                self._trouble = str(reason)
                _log.warning("revocations are read anew", topic=self.topic, reason=str(reason))
            except (TimeoutError, KafkaError, OSError) as error:
                self._trouble = f"Kafka: {type(error).__name__} {error}"
                _log.warning("kafka doesn't tell the revocations", topic=self.topic, error=repr(error))
            pause_s = _FIRST_PAUSE_S if time.monotonic() - began > _LONGEST_PAUSE_S else pause_s * 2
            await asyncio.sleep(min(pause_s, _LONGEST_PAUSE_S))

    async def read(self) -> Revocations:
        """All that hold now, read once; raises KafkaError or ReadAnew."""
        async with _opened(self._kafka) as consumer:
            identity = await self._identity(consumer)
            return await self._from_the_beginning(consumer, identity)

    async def _live(self, told: Told | None) -> None:
        """One consumer's life."""
        async with _opened(self._kafka) as consumer:
            identity = await self._identity(consumer)
            self.held, self._read = await self._from_the_beginning(consumer, identity), True
            _log.info("revocations read", topic=self.topic, held=len(self.held))
            if told is not None:
                told(self.held.revoked)
            # Beside the reading, as a broker that hangs may keep an answer back.
            checking = asyncio.create_task(self._mind_identity(consumer, identity), name="revocations")
            try:
                await self._follow(consumer, checking, told)
            finally:
                checking.cancel()

    async def _from_the_beginning(self, consumer: AIOKafkaConsumer, identity: Identity) -> Revocations:
        partitions = [TopicPartition(self.topic, index) for index in range(identity.partitions)]
        consumer.assign(partitions)
        for assigned, offset in (await consumer.beginning_offsets(partitions)).items():
            consumer.seek(assigned, offset)
        ends = await consumer.end_offsets(partitions)
        self._fetched = (0, time.monotonic())
        found = Revocations()
        while behind := sum([max(0, end - await consumer.position(assigned)) for assigned, end in ends.items()]):
            self._trouble = f"{behind} records to read"
            self.take(found, await self._fetch(consumer))
            await asyncio.sleep(0)
        return found

    async def _follow(self, consumer: AIOKafkaConsumer, checking: "asyncio.Task[None]", told: Told | None) -> None:
        while not checking.done():
            batches = await self._fetch(consumer)
            if self.take(self.held, batches) and told is not None:
                told(self.held.revoked)
            await self._note(consumer)
            if batches:
                await asyncio.sleep(_GATHER_S)
        checking.result()
        raise ReadAnew("the topic is another log than before")

    async def _fetch(self, consumer: AIOKafkaConsumer) -> Mapping[TopicPartition, Sequence[Any]]:
        try:
            batches: Mapping[TopicPartition, Sequence[Any]] = await consumer.getmany(
                timeout_ms=_POLL_MS, max_records=_AT_ONCE
            )
        except OffsetOutOfRangeError as error:
            raise ReadAnew(f"the topic was cut: {error}") from None
        newest_ms, now = max(_fetched_ms(consumer)), time.monotonic()
        if newest_ms != self._fetched[0]:
            self._fetched = (newest_ms, now)
        elif now - self._fetched[1] > _WATCHDOG_S:
            raise ReadAnew(f"no fetch succeeded for {_WATCHDOG_S:g} s")
        return batches

    def take(self, held: Revocations, batches: Mapping[TopicPartition, Sequence[Any]]) -> bool:
        """Take records of the topic in; whether any of them revokes something. Counts those that say nothing."""
        revokes, let_go = False, held.let_go
        for assigned, records in batches.items():
            for record in records:
                try:
                    revokes |= held.take(record.key, record.value) is not None
                except RevocationMistake as mistake:
                    self._count_malformed(mistake, assigned.partition, record.offset)
        if held.let_go > let_go:
            self._count_let_go(held.let_go - let_go, len(held))
        return revokes

    def _count_malformed(self, mistake: RevocationMistake, partition: int, offset: int) -> None:
        self.malformed += 1
        if self.malformed % _SAMPLE == 1:
            _log.warning(
                "a revocation that says nothing",
                topic=self.topic,
                reason=str(mistake),
                partition=partition,
                offset=offset,
                count=self.malformed,
            )

    def _count_let_go(self, number: int, held: int) -> None:
        before, self.let_go = self.let_go, self.let_go + number
        if -(-before // _SAMPLE) != -(-self.let_go // _SAMPLE):
            _log.error("more revocations than can be held", topic=self.topic, held=held, let_go=self.let_go)

    async def _note(self, consumer: AIOKafkaConsumer) -> None:
        ends = {assigned: consumer.highwater(assigned) for assigned in consumer.assignment()}
        self.lag = sum([max(0, (end or 0) - await consumer.position(assigned)) for assigned, end in ends.items()])
        if not self.lag and None not in ends.values():
            self.as_of_ms = max(self.as_of_ms, min(_fetched_ms(consumer)))

    async def _mind_identity(self, consumer: AIOKafkaConsumer, identity: Identity) -> None:
        """Return when the topic is gone, has grown, or was made anew."""
        now: Identity | None = identity
        while now == identity:
            await asyncio.sleep(self._check_s)
            try:
                now = (await _identities(consumer, self.topic)).get(self.topic)
            except (TimeoutError, KafkaError, OSError) as error:
                _log.warning("kafka doesn't tell what the topic is", topic=self.topic, error=repr(error))

    async def _identity(self, consumer: AIOKafkaConsumer) -> Identity:
        identity = (await _identities(consumer, self.topic)).get(self.topic)
        if identity is None:
            raise ReadAnew(f"the topic {self.topic} does not exist")
        return identity


async def _identities(consumer: AIOKafkaConsumer, topic: str) -> Mapping[str, Identity]:
    client: Any = consumer._client  # noqa: SLF001 -- a client of our own would be one more connection to each broker
    return await read_identities(client, [topic])


def _fetched_ms(consumer: AIOKafkaConsumer) -> Iterable[int]:
    """When a fetch of each partition was last answered; 0 for never."""
    return [consumer.last_poll_timestamp(assigned) or 0 for assigned in consumer.assignment()]


@asynccontextmanager
async def _opened(kafka: KafkaSettings) -> AsyncIterator[AIOKafkaConsumer]:
    # From the leader, wherever that is: another replica may have a record half a second later.
    consumer = AIOKafkaConsumer(**{**consumer_options(kafka, _CLIENT_ID), "client_rack": ""})
    try:
        await consumer.start()
        yield consumer
    finally:
        await let_go(consumer, _LONGEST_PAUSE_S)
