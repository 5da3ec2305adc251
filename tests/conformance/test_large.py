"""Snapshots and resumes that take a while, while much changes: judged by the oracle, over readers slow and quick."""

import contextlib
import secrets
from typing import Final

import pytest

from infra.cluster.deadline import DeadlineMissed, until
from tests.support.client import Ask, Watch, Watcher, Writer, open_watch
from tests.support.client_watcher import Gate
from tests.support.fleet import Fleet
from tests.support.oracle import Connection, History, judge
from tests.support.oracle_log import TruthLog
from tests.support.oracle_reading import cursor_reader, read_topic, truth_of

COLLECTION: Final = "large"
RESOURCES: Final = 1_200
CHANGED: Final = 700
LAST: Final = 30
BATCH: Final = 500
TRANSPORTS: Final = ("websocket_slow", "sse_slow", "longpoll")


class Crowd:
    """Many resources of one prefix."""

    def __init__(self, fleet: Fleet, writer: Writer) -> None:
        self.fleet = fleet
        self.name = f"c{secrets.token_hex(3)}-"
        self.watch = Watch(COLLECTION, prefix=self.name)
        self._writer = writer
        self._round = 0

    async def write(self, count: int) -> None:
        """Change the first `count` resources; every ninth is deleted."""
        self._round += 1
        items = [self._item(number) for number in range(count)]
        for start in range(0, count, BATCH):
            await self._writer.post(COLLECTION, items[start : start + BATCH])

    async def truth(self) -> TruthLog:
        """What Kafka holds."""
        return TruthLog(
            truth_of(COLLECTION, await read_topic(self.fleet.broker.bootstrap, self.fleet.topic(COLLECTION)))
        )

    def _item(self, number: int) -> dict[str, object]:
        if self._round > 1 and (number + self._round) % 9 == 0:
            return {"id": f"{self.name}{number}", "delete": True}
        return {"id": f"{self.name}{number}", "data": {"n": number, "round": self._round, "fill": "x" * 200}}


@pytest.fixture
def crowd(fleet: Fleet, writer: Writer) -> Crowd:
    return Crowd(fleet, writer)


def shut(watcher: Watcher) -> Gate | None:
    """Make a slow reader stop reading; the others go on."""
    gate = getattr(watcher, "gate", None) if watcher.transport.endswith("_slow") else None
    if isinstance(gate, Gate):
        gate.shut()
    return gate


async def judged(crowd: Crowd, mode: str, *watchers: Watcher) -> None:
    """Wait until the last of the watchers has converged, and check the whole history."""
    truth, read = await crowd.truth(), cursor_reader(COLLECTION)
    history = History(watchers[-1].transport, mode, [Connection(each.ask, each.recording.entries) for each in watchers])

    async def last_write_seen() -> bool:
        newest = {frame["resource"]: int(frame["version"]) for each in watchers for frame in each.data}
        last = (truth.newest(f"{COLLECTION}/{crowd.name}{number}") for number in range(LAST))
        return all(record is None or newest.get(record.resource, -1) >= record.offset for record in last)

    with contextlib.suppress(DeadlineMissed):
        await until(last_write_seen, "the last write was seen", within_s=15, every_s=0.02)
    report = judge([history], truth, read, settled=True)
    assert not report.violations, [f"{each.rule}: {each.detail}" for each in report.violations[:10]]


@pytest.mark.parametrize("mode", ["state", "log"])
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_snapshot_is_whole_while_much_changes(crowd: Crowd, transport: str, mode: str) -> None:
    await crowd.write(RESOURCES)
    watcher = await open_watch(transport, crowd.fleet.servers[0].url, Ask((crowd.watch,), mode=mode))
    gate = shut(watcher)
    await crowd.write(CHANGED)
    await crowd.write(CHANGED)
    if gate is not None:
        gate.open()
    await watcher.wait_synced()
    await crowd.write(LAST)
    await judged(crowd, mode, watcher)
    await watcher.close()


@pytest.mark.parametrize("mode", ["state", "log"])
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_resume_is_whole_while_much_changes(crowd: Crowd, transport: str, mode: str) -> None:
    await crowd.write(RESOURCES)
    first = await open_watch(transport, crowd.fleet.servers[0].url, Ask((crowd.watch,), mode=mode))
    await first.wait_synced()
    await first.cut()
    await crowd.write(RESOURCES)
    second = await open_watch(transport, crowd.fleet.servers[1].url, first.ask.resume(first.cursor))
    gate = shut(second)
    await crowd.write(CHANGED)
    if gate is not None:
        gate.open()
    await crowd.write(LAST)
    await judged(crowd, mode, first, second)
    assert "reset" not in {frame["event"] for frame in second.frames}
    await second.close()
