"""Kafka to hub: every partition of every collection, from its beginning, by explicit positions and without a group.

A consumer lives until something is out of the ordinary: a topic that grew or was made anew, an offset out of range, no
successful fetch for too long. Then it is rebuilt, and each collection goes on from its own positions, or is read anew
beside the one that is served, until it can take over.
"""

import asyncio
import contextlib
import gc
import time
from collections.abc import Mapping
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from services.pushserver.channel import Channel
from services.pushserver.epochs import Epochs
from services.pushserver.hub import Hub
from services.pushserver.pace import Pace
from services.pushserver.reading import Reading
from services.pushserver.settings import PushServerSettings
from shared.catalog import Collection
from shared.kafka import KafkaSettings, consumer_options, pace_fetches
from shared.telemetry import logger

log = logger("source")
_BATCH_RECORDS: Final = 500
_CATCH_UP_RECORDS: Final = 4000
_POLL_MS: Final = 200
_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 5.0
_HOUSEKEEPING_S: Final = 1.0
_TOMBSTONES_AT_ONCE: Final = 1000


class Rebuild(Exception):
    """The consumer has to be built anew; the argument says why."""


class Source:
    """Reads until it is cancelled; `ready` says what keeps the server from being ready."""

    def __init__(self, hub: Hub, kafka: KafkaSettings, settings: PushServerSettings) -> None:
        self._hub = hub
        self._kafka = kafka
        self._settings = settings
        self._readings: dict[str, Reading] = {}
        self._consumer: AIOKafkaConsumer | None = None
        self._advanced = asyncio.Event()
        self._pace = Pace(time.monotonic())
        self._epochs = Epochs(hub.catalog, settings.identity_check_s)
        self._trouble = "Kafka has not answered yet"
        self._full: str | None = None
        self._missing: set[str] = set()
        self.busy_s = 0.0

    @property
    def not_ready(self) -> str | None:
        """What keeps the server from being ready, None when it is."""
        if self._full is not None:
            return self._full
        for collection in self._hub.catalog:
            if collection.name not in self._hub.channels:
                if collection.name in self._missing:
                    return f"the topic {collection.topic} does not exist"
                reading = self._readings.get(collection.name)
                return f"{collection.name}: {reading.behind} records to read" if reading else self._trouble
        return None

    async def run(self) -> None:
        """Read for ever; trouble with Kafka is waited out, a broken invariant of ours ends it."""
        pause_s = _FIRST_PAUSE_S
        while True:
            began = time.monotonic()
            try:
                await self._live()
            except Rebuild as reason:
                log.info("consumer rebuilt", reason=str(reason))
            except (TimeoutError, KafkaError, OSError) as error:
                self._trouble = f"Kafka: {type(error).__name__} {error}"
                log.warning("kafka doesn't answer", error=repr(error))
            pause_s = _FIRST_PAUSE_S if time.monotonic() - began > _LONGEST_PAUSE_S else pause_s * 2
            await asyncio.sleep(min(pause_s, _LONGEST_PAUSE_S))

    async def next_batch(self, timeout_s: float) -> None:
        """Wait until something was read, or for so long."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._advanced.wait(), timeout_s)

    async def ends(self, channel: Channel) -> Mapping[int, int]:
        """Ask Kafka where the partitions end; raises KafkaError when it doesn't answer."""
        consumer, reading = self._consumer, self._readings.get(channel.name)
        if consumer is None or reading is None:
            raise KafkaError(f"{channel.collection.topic} can't be asked for its ends: {self._trouble}")
        ends = await consumer.end_offsets(reading.partitions)
        return {assigned.partition: end for assigned, end in ends.items()}

    async def current_epoch(self, channel: Channel) -> bytes:
        """Ask Kafka which epoch the collection is in; a new one is read at once. Raises KafkaError."""
        consumer = self._consumer
        if consumer is None:
            raise KafkaError(self._trouble)
        return await self._epochs.current(consumer, channel)

    def lag(self) -> Mapping[str, int]:
        """For each collection how many offsets Kafka is known to be ahead."""
        consumer = self._consumer
        if consumer is None:
            return {}
        lags = {}
        for reading in self._readings.values():
            positions = reading.channel.positions
            ends = [_end(consumer, assigned) for assigned in reading.partitions if assigned in consumer.assignment()]
            behind = (max(0, end - at) for end, at in zip(ends, positions, strict=False) if end is not None)
            lags[reading.collection.name] = sum(behind)
        return lags

    async def _live(self) -> None:
        """One consumer's life."""
        consumer = AIOKafkaConsumer(**consumer_options(self._kafka, "watchroute-pushserver"))
        following: asyncio.Task[None] | None = None
        try:
            await consumer.start()
            self._consumer = consumer
            await self._assign(consumer)
            self._pace = Pace(time.monotonic())
            following = asyncio.create_task(self._epochs.follow(consumer), name="epochs")
            await self._read(consumer)
        finally:
            self._consumer = None
            if following is not None:
                following.cancel()
            with contextlib.suppress(KafkaError, OSError, asyncio.TimeoutError):
                # It is thrown away: what it still has to say to a broker that may be gone doesn't matter.
                await asyncio.wait_for(consumer.stop(), _LONGEST_PAUSE_S)

    async def _assign(self, consumer: AIOKafkaConsumer) -> None:
        await self._epochs.ask(consumer)
        known = [collection for collection in self._hub.catalog if self._epochs.identity(collection)]
        self._missing = {collection.name for collection in self._hub.catalog} - {c.name for c in known}
        new = [self._reading_of(collection) for collection in known]
        self._readings = {reading.collection.name: reading for reading in new}
        partitions = [assigned for reading in new for assigned in reading.partitions]
        if not partitions:
            raise Rebuild("none of the topics exists")
        consumer.assign(partitions)
        beginnings = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
        for reading in new:
            _seek(consumer, reading, beginnings, ends)

    def _reading_of(self, collection: Collection) -> Reading:
        """Where it stands now, if that is of the same log; else from the beginning."""
        epoch = self._epochs.of(collection)
        known = self._readings.get(collection.name)
        if known is not None and known.channel.epoch == epoch:
            return known
        served = self._hub.channels.get(collection.name)
        if served is not None and served.epoch == epoch:
            return Reading(served, self._hub, served=True)
        return Reading(Channel.empty(collection, epoch, self._epochs.partitions(collection)), self._hub, served=False)

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        fetched_at = tidied = time.monotonic()
        fetched_ms = 0
        while True:
            catching_up = any(not reading.served for reading in self._readings.values())
            try:
                batches = await consumer.getmany(
                    timeout_ms=_POLL_MS, max_records=_CATCH_UP_RECORDS if catching_up else _BATCH_RECORDS
                )
            except OffsetOutOfRangeError as error:
                self._forget(error)
                raise Rebuild(f"offset out of range: {error}") from None
            now = time.monotonic()
            await self._apply(consumer, batches)
            self.busy_s += time.monotonic() - now
            if self._pace.count(sum(map(len, batches.values())), now):
                pace_fetches(consumer, self._kafka, busy=self._pace.busy)
            if (newest_ms := _last_fetch_ms(consumer)) != fetched_ms:
                fetched_ms, fetched_at = newest_ms, now
            if now - fetched_at > self._settings.watchdog_s:
                raise Rebuild(f"no fetch succeeded for {self._settings.watchdog_s} s")
            self._check_epochs()
            if now - tidied > _HOUSEKEEPING_S:
                tidied = now
                self._tidy()

    async def _apply(self, consumer: AIOKafkaConsumer, batches: Mapping[TopicPartition, Any]) -> None:
        now_ms = int(time.time() * 1000)
        moved = bool(batches)
        for reading in list(self._readings.values()):
            reading.take(batches, now_ms)
            moved |= await _advance(consumer, reading)
            _note_freshness(consumer, reading)
            if not reading.served and not reading.behind:
                self._serve(reading)
                moved = True
        if self._settings.max_held_bytes and any(not reading.served for reading in self._readings.values()):
            await self._mind_memory()
        if moved:
            self._advanced.set()
            self._advanced = asyncio.Event()

    async def _mind_memory(self) -> None:
        """Stop for good, not ready, rather than run out of memory: another read would end the same way."""
        held = sum(reading.channel.table.size_bytes for reading in self._readings.values())
        if held > self._settings.max_held_bytes:
            self._full = f"the collections need more than max_held_bytes ({self._settings.max_held_bytes})"
            log.error("too much to hold", held_bytes=held, max_held_bytes=self._settings.max_held_bytes)
            await asyncio.Event().wait()

    def _serve(self, reading: Reading) -> None:
        reading.served = True
        self._hub.serve(reading.channel)
        # The hub may have put what was read into the channel that is already watched.
        reading.channel = self._hub.channels[reading.collection.name]
        gc.collect()
        # A full collection over a million records stops the world for hundreds of milliseconds: they are here to stay.
        gc.freeze()
        log.info("collection served", collection=reading.collection.name, resources=reading.channel.table.resources)

    def _forget(self, error: OffsetOutOfRangeError) -> None:
        """Read anew what is out of range: its log was cut or emptied under us."""
        topics = {assigned.topic for assigned in error.args[0]}
        for name, reading in list(self._readings.items()):
            if reading.collection.topic in topics:
                channel = reading.channel
                fresh = Channel.empty(channel.collection, channel.epoch, len(channel.positions))
                self._readings[name] = Reading(fresh, self._hub, served=False)

    def _tidy(self) -> None:
        now_ms = int(time.time() * 1000)
        for reading in self._readings.values():
            reading.channel.table.expire_tombstones(now_ms, _TOMBSTONES_AT_ONCE)
            if reading.channel.history is not None:
                reading.channel.history.expire(now_ms)

    def _check_epochs(self) -> None:
        for collection in self._hub.catalog:
            identity, reading = self._epochs.identity(collection), self._readings.get(collection.name)
            if identity is not None and (reading is None or reading.channel.epoch != self._epochs.of(collection)):
                raise Rebuild(f"{collection.topic} is another log than before: {identity}")


def _seek(
    consumer: AIOKafkaConsumer,
    reading: Reading,
    beginnings: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
) -> None:
    if not reading.served and not any(reading.channel.positions):
        reading.begin_at({assigned.partition: beginnings[assigned] for assigned in reading.partitions})
    reading.targets = {assigned.partition: ends[assigned] for assigned in reading.partitions}
    for assigned in reading.partitions:
        consumer.seek(assigned, reading.channel.positions[assigned.partition])


async def _advance(consumer: AIOKafkaConsumer, reading: Reading) -> bool:
    """Count as read what brings no records, transaction markers above all; returns whether there was any.

    Asking has its price, so it is done only for partitions that seem to be behind.
    """
    now = reading.channel.positions
    behind = [
        assigned
        for assigned in reading.partitions
        if (end := _end(consumer, assigned)) is not None and now[assigned.partition] < end
    ]
    asked = behind if reading.served else reading.partitions
    return reading.advance({assigned.partition: await consumer.position(assigned) for assigned in asked})


def _note_freshness(consumer: AIOKafkaConsumer, reading: Reading) -> None:
    """Note when everything up to the end was known to have been read: the oldest of the partitions' last fetches."""
    positions = reading.channel.positions
    fetches = []
    for assigned in reading.partitions:
        end, fetched_ms = _end(consumer, assigned), consumer.last_poll_timestamp(assigned)
        if end is None or fetched_ms is None or positions[assigned.partition] < end:
            return
        fetches.append(fetched_ms)
    reading.channel.as_of_ms = max(reading.channel.as_of_ms, min(fetches))


def _last_fetch_ms(consumer: AIOKafkaConsumer) -> int:
    """When a fetch of any partition was last answered, with records or without; 0 for never."""
    return max((consumer.last_poll_timestamp(assigned) or 0 for assigned in consumer.assignment()), default=0)


def _end(consumer: AIOKafkaConsumer, assigned: TopicPartition) -> int | None:
    """The end that this consumer may read to, as it was told by its last fetch."""
    stable = consumer.last_stable_offset(assigned)
    end: int | None = stable if stable is not None and stable >= 0 else consumer.highwater(assigned)
    return end
