"""The link to Kafka: a producer kept connected and replaced when it has failed, and what brokers say of the topics."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from aiokafka.errors import KafkaError

from services.producer.delivery import ExpiringProducer
from services.producer.epochs import Epochs
from services.producer.refusal import unavailable
from shared.identity import Identity, read_identities
from shared.telemetry import logger

_ATTEMPTS: Final = 3
"""Each asks a random broker, and one of them may be the one that is down."""
_RETRY_S: Final = 1.0
_log = logger("producer")


class Link:
    """Gives out the producer to write with, and knows whether Kafka answers.

    `down` says why it doesn't, or None; while it is set, writes are refused at once. `answer_s` bounds every question.
    """

    def __init__(
        self, connect: Callable[[], ExpiringProducer], epochs: Epochs, *, check_s: float, answer_s: float
    ) -> None:
        self._connect = connect
        self._epochs = epochs
        self._check_s = check_s
        self._answer_s = answer_s
        self._producer: ExpiringProducer | None = None
        self._lock = asyncio.Lock()
        self._asked_at = -1.0
        self._heard = False
        self._keeper: asyncio.Task[None] | None = None
        self._retiring: set[asyncio.Task[None]] = set()
        self.down: str | None = None

    @property
    def not_ready(self) -> str | None:
        """Why writes would fail now, or None."""
        return self.down or (None if self._heard else "Kafka has not answered yet")

    def start(self) -> None:
        """Begin to connect, whether or not Kafka is there."""
        self._keeper = asyncio.create_task(self._keep(), name="producer link")

    async def wait(self) -> None:
        """Never return; raise what ended the task that `start` began, which nothing should."""
        if self._keeper:
            await asyncio.shield(self._keeper)

    async def stop(self) -> None:
        """Write what is still to be written, each write until it expires, and disconnect."""
        self.down = "this producer has stopped"
        if self._keeper:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        if self._producer:
            self.replace(self._producer)
        if self._retiring:
            await asyncio.wait(self._retiring)

    async def producer(self) -> ExpiringProducer:
        """The producer to write with now; raises Problem `unavailable`."""
        if self._producer is None and self.down is None:
            await self.ask()
        if self._producer is None or self.down is not None:
            raise unavailable(f"{self.down or 'Kafka does not answer'}; nothing was written")
        return self._producer

    def replace(self, producer: ExpiringProducer) -> None:
        """Write no more with `producer`, as it has failed; what it has begun it ends."""
        if producer is self._producer:
            self._producer = None
        task = asyncio.create_task(producer.discard(2 * self._answer_s))
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    async def ask(self) -> None:
        """Learn what the brokers say of the topics from now on; sets `down`, and raises nothing of theirs."""
        loop = asyncio.get_running_loop()
        since = loop.time()
        async with self._lock:
            # Who waited while another asked has the answer too, if the question came after theirs.
            if self._asked_at < since:
                self._asked_at = loop.time()
                await self._ask()

    async def _keep(self) -> None:
        while True:
            await self.ask()
            await asyncio.sleep(_RETRY_S if self.down else self._check_s)

    async def _ask(self) -> None:
        try:
            async with asyncio.timeout(self._answer_s):
                producer = self._producer = self._producer or await self._connected()
                self._epochs.learn(await self._identities(producer))
        except (KafkaError, OSError, TimeoutError) as error:
            self._note(f"Kafka does not answer ({type(error).__name__})")
            if self._producer:
                # It knows the brokers by addresses that may be of the past; the next one asks the bootstrap servers.
                self.replace(self._producer)
        else:
            self._heard = True
            self._note(None)

    async def _connected(self) -> ExpiringProducer:
        producer = self._connect()
        try:
            await producer.start()
        except BaseException:
            self.replace(producer)
            raise
        return producer

    async def _identities(self, producer: ExpiringProducer) -> dict[str, Identity]:
        for attempt in range(_ATTEMPTS):
            try:
                return await read_identities(producer.client, self._epochs.topics)
            except KafkaError:
                if attempt == _ATTEMPTS - 1:
                    raise
        raise AssertionError

    def _note(self, down: str | None) -> None:
        if down != self.down:
            _log.warning("Kafka is away", reason=down) if down else _log.info("Kafka answers")
        self.down = down
