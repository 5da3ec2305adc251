"""One fault, played under load, and what the oracle says of every history."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Final, Self

from infra.cluster.deadline import DeadlineMissed, until
from infra.cluster.kafka_node import KafkaNode
from tests.chaos.follower import followers
from tests.chaos.stage import Stage
from tests.chaos.writers import WRITERS, ChaosWriters
from tests.support.oracle import History, converged
from tests.support.oracle_epochs import by_epoch
from tests.support.oracle_log import Record, TruthLog
from tests.support.oracle_reading import cursor_reader, epoch_reader
from tests.support.oracle_writes import Written

WRITES_BEFORE: Final = 60
WRITES_AFTER: Final = 80
FLOWS_WITHIN_S: Final = 45
SETTLES_WITHIN_S: Final = 40
SETTLED_EVERY_S: Final = 0.5
_ASK_AGAIN_S: Final = 0.5


@dataclass(frozen=True)
class Evidence:
    """All that a trial is judged by; `logs` are the records of each epoch of the topic, oldest first."""

    collection: str
    histories: Sequence[History]
    failures: Sequence[str]
    logs: Mapping[bytes, Sequence[Record]]
    writes: Sequence[Written]


class Trial:
    """The load on a collection of its own: an async context manager that writers and watchers run in.

    `rng` is for whatever a fault leaves to chance.
    """

    def __init__(self, stage: Stage, seed: int, *, restless: bool = True) -> None:
        self.stage = stage
        self.rng = random.Random(seed)
        self.collection = next(stage.collections)
        url = stage.cluster.url
        self.writers = ChaosWriters(self.collection, url, random.Random(self.rng.random()))
        self.watchers = followers(
            self.collection, url, random.Random(self.rng.random()), restless=restless, address=_watchers_address
        )
        self._closed: list[list[Record]] = []
        self._tasks = AsyncExitStack()
        self._writing: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        watching = [asyncio.create_task(watcher.run()) for watcher in self.watchers]
        self._tasks.push_async_callback(_cancelled, watching)
        self._writing = [asyncio.create_task(self.writers.run(_writers_address(number))) for number in range(WRITERS)]
        self._tasks.push_async_callback(_cancelled, self._writing)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._tasks.aclose()
        for watcher in self.watchers:
            await watcher.close()

    async def flowing(self, writes: int) -> None:
        """Return when every watcher is connected, and so many more writes have been acknowledged."""
        enough = self.writers.acknowledged + writes

        async def flows() -> bool:
            return self.writers.acknowledged >= enough and all(watcher.heard for watcher in self.watchers)

        await until(flows, f"{writes} writes, and every watcher connected", within_s=FLOWS_WITHIN_S)

    async def quiet(self) -> None:
        """Let the writers hold their breath; returns when no write is under way."""
        self.writers.open.clear()

        async def idle() -> bool:
            return self.writers.under_way == 0

        await until(idle, "no write is under way", within_s=FLOWS_WITHIN_S)

    def hot(self) -> int:
        """The partition with the most acknowledged writes."""
        return Counter(partition for _, partition in self._places()).most_common(1)[0][0]

    def resource_of(self, partition: int) -> str:
        """Any resource whose writes went to that partition."""
        return next(write.resource for write, where in self._places() if where == partition)

    async def until_written_to(self, partition: int) -> int:
        """How many writes a partition has got, once there is one."""

        async def count() -> int:
            return sum(where == partition for _, where in self._places())

        return await until(count, f"a write to partition {partition}", within_s=FLOWS_WITHIN_S)

    async def leader(self) -> KafkaNode:
        """The broker that leads the hot partition."""
        partitions = await self.stage.kafka.partitions(self.collection)
        return self.stage.nodes[partitions[self.hot()].leader]

    async def close_log(self) -> None:
        """Keep the records of the topic as it is now, before it is made anew; only while it is `quiet`."""
        self._closed.append(await self.stage.kafka.records(self.collection))

    async def settle(self) -> Evidence:
        """With no further writes: wait for every watcher to hold the newest state, and return all that was seen."""
        await self.quiet()
        logs: Mapping[bytes, Sequence[Record]] = {}

        async def all_hold_it() -> bool:
            nonlocal logs
            # Read again each time: a write that nobody answered may still arrive. Brokers may be slow to answer.
            with suppress(TimeoutError):
                logs = self._logs(await self.stage.kafka.records(self.collection))
            return all(watcher.heard for watcher in self.watchers) and bool(logs) and self._converged(logs)

        # Who never does is found by the oracle.
        with suppress(DeadlineMissed):
            await until(
                all_hold_it, "the newest state is everywhere", within_s=SETTLES_WITHIN_S, every_s=SETTLED_EVERY_S
            )
        histories = [watcher.history for watcher in self.watchers]
        failures = [f"{watcher.name}: {failure}" for watcher in self.watchers for failure in watcher.failures]
        return Evidence(self.collection, histories, failures, logs, self.writers.writes)

    def _places(self) -> Iterator[tuple[Written, int]]:
        """The acknowledged writes, and the partition that each is in."""
        read = cursor_reader(self.collection)
        for write in self.writers.writes:
            if write.cursor is not None:
                (partition,) = read(write.cursor)
                yield write, partition

    def _logs(self, newest: Sequence[Record]) -> Mapping[bytes, Sequence[Record]]:
        """The log of each epoch, which the writers' acknowledgements name; one that has grown has all that it had."""
        read_epoch = epoch_reader(self.collection)
        epochs = dict.fromkeys(read_epoch(write.cursor) for write in self.writers.writes if write.cursor)
        closed = dict(zip(epochs, self._closed, strict=False))
        return {epoch: closed.get(epoch, newest) for epoch in epochs}

    def _converged(self, logs: Mapping[bytes, Sequence[Record]]) -> bool:
        newest = list(logs)[-1]
        truth = TruthLog(logs[newest])
        histories = by_epoch([watcher.history for watcher in self.watchers], epoch_reader(self.collection))[newest]
        return len(histories) == len(self.watchers) and all(converged(history, truth) for history in histories)


def _watchers_address(number: int) -> str:
    return f"127.0.1.{number + 1}"


def _writers_address(number: int) -> str:
    return f"127.0.2.{number + 1}"


async def _cancelled(tasks: Sequence["asyncio.Task[None]"]) -> None:
    # A client that is just hanging up takes a cancellation for that of its own reading: ask again.
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=_ASK_AGAIN_S)
    await asyncio.gather(*tasks, return_exceptions=True)
