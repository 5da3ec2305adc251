"""Kafka to hub: every partition of every collection, from its beginning, by explicit positions and without a group.

A consumer lives until something is out of the ordinary: a topic that grew or was made anew, an offset out of range, no
successful fetch for too long. Then it is rebuilt, and each collection goes on from its own positions, or is read anew
beside the one that is served, until it can take over.
"""

import asyncio
import contextlib
import gc
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from services.pushserver.channel import Channel
from services.pushserver.clock import ClockAhead
from services.pushserver.epochs import Epochs
from services.pushserver.hub import Hub
from services.pushserver.lag import advance, lag_of, last_fetch_ms, note_freshness, seek
from services.pushserver.pace import Pace
from services.pushserver.portions import PORTION_RECORDS, Batches, portions
from services.pushserver.proof import Proof
from services.pushserver.reading import Reading
from services.pushserver.settings import PushServerSettings
from shared.catalog import Collection
from shared.kafka import KafkaSettings, consumer_options, let_go, pace_fetches, skip_consumer_records
from shared.memory import give_back, hold
from shared.telemetry import logger

log = logger("source")
_POLL_MS: Final = 200
_CATCH_UP_POLL_MS: Final = 10
"""Nobody is served meanwhile, and the last partition may turn out to have nothing more."""
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
        self._proof = Proof(kafka)
        self._trouble = "Kafka has not answered yet"
        self._full: str | None = None
        self._missing: set[str] = set()
        self.busy_s = 0.0
        self.clock = ClockAhead()

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

    @property
    def _catching_up(self) -> bool:
        return any(not reading.served for reading in self._readings.values())

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
        """Ask Kafka where the partitions end; raises KafkaError when it doesn't answer.

        Who is asked may have been asleep, and know of ends that have long been passed: see `proven_ends`.
        """
        consumer, reading = self._consumer, self._readings.get(channel.name)
        if consumer is None or reading is None:
            raise KafkaError(f"{channel.collection.topic} can't be asked for its ends: {self._trouble}")
        ends = await consumer.end_offsets(reading.partitions)
        return {assigned.partition: end for assigned, end in ends.items()}

    async def proven_ends(self, channel: Channel) -> Mapping[int, int]:
        """Where the partitions end for certain; raises KafkaError, OSError or TimeoutError while nobody can tell."""
        consumer = self._consumer
        if consumer is None:
            raise KafkaError(self._trouble)
        found = await self._proof.bounds(consumer, channel.collection.topic)
        return {partition: bounds.end for partition, bounds in found.items()}

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
        return {reading.collection.name: lag_of(consumer, reading) for reading in self._readings.values()}

    async def _live(self) -> None:
        """One consumer's life."""
        consumer = AIOKafkaConsumer(**consumer_options(self._kafka, "watchroute-pushserver"))
        following: asyncio.Task[None] | None = None
        try:
            await consumer.start()
            skip_consumer_records(consumer)
            self._consumer = consumer
            await self._assign(consumer)
            # What there is is read at once; where there is nothing, that too is known at once.
            self._pace = Pace(time.monotonic(), busy=True)
            pace_fetches(consumer, self._kafka, busy=True)
            following = asyncio.create_task(self._epochs.follow(consumer), name="epochs")
            await self._read(consumer)
        finally:
            self._consumer = None
            if following is not None:
                following.cancel()
            await let_go(consumer, _LONGEST_PAUSE_S)

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
            seek(consumer, reading, beginnings, ends)

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
            records = await self._fetch(consumer)
            await self._follow(consumer, moved=records > 0)
            now = time.monotonic()
            if self._pace.count(records, now):
                pace_fetches(consumer, self._kafka, busy=self._pace.busy)
            if (newest_ms := last_fetch_ms(consumer)) != fetched_ms:
                fetched_ms, fetched_at = newest_ms, now
            if now - fetched_at > self._settings.watchdog_s:
                raise Rebuild(f"no fetch succeeded for {self._settings.watchdog_s} s")
            self._check_epochs()
            if now - tidied > _HOUSEKEEPING_S:
                tidied = now
                self._tidy()

    async def _fetch(self, consumer: AIOKafkaConsumer) -> int:
        """Wait for records, take them, and return how many it were."""
        try:
            timeout_ms = _CATCH_UP_POLL_MS if self._catching_up else _POLL_MS
            batches = await consumer.getmany(timeout_ms=timeout_ms, max_records=PORTION_RECORDS)
        except OffsetOutOfRangeError as error:
            await self._mind_cut(consumer, error)
            return 0
        for portion in portions(batches):
            began = time.monotonic()
            self._take(portion)
            self.busy_s += time.monotonic() - began
            # getmany() doesn't wait while it has records left: without this, nobody else would get to run meanwhile.
            await asyncio.sleep(0)
        return sum(map(len, batches.values()))

    def _take(self, portion: Batches) -> None:
        now_ms = int(time.time() * 1000)
        for reading in self._readings.values():
            reading.take(portion, now_ms)
        served = {reading.collection.topic for reading in self._readings.values() if reading.served}
        for assigned, records in portion.items():
            if assigned.topic in served:
                self.clock.note(records, now_ms)
        if self._catching_up:
            # The collector would walk through it again and again.
            hold()

    async def _follow(self, consumer: AIOKafkaConsumer, *, moved: bool) -> None:
        """Note how far the consumer has come, serve what is read to its end, and wake whoever waits for it."""
        for reading in list(self._readings.values()):
            moved |= await advance(consumer, reading)
            note_freshness(consumer, reading)
            if not reading.served and not reading.behind:
                self._serve(reading)
                moved = True
        if self._settings.max_held_bytes and self._catching_up:
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
        hold()
        give_back()
        log.info("collection served", collection=reading.collection.name, resources=reading.channel.table.resources)

    async def _mind_cut(self, consumer: AIOKafkaConsumer, error: OffsetOutOfRangeError) -> None:
        """Raise Rebuild if its log was cut or emptied under us; else there is somebody better to fetch from."""
        try:
            cut = await self._proof.cut(consumer, error.args[0])
        except (TimeoutError, KafkaError, OSError) as unknown:
            log.warning("nobody can tell whether a log was cut", reason=str(error), error=repr(unknown))
            cut = []
        if cut:
            self._forget(cut)
            raise Rebuild(f"offset out of range: {error}")
        client: Any = consumer._client  # noqa: SLF001 -- no public way to have it look for the leader
        client.force_metadata_update()
        await asyncio.sleep(_FIRST_PAUSE_S)

    def _forget(self, topics: Sequence[str]) -> None:
        """Read them anew."""
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
