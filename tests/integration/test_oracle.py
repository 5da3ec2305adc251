"""A seeded run of everything at once, judged by the oracle from Kafka's own records.

WATCHROUTE_ORACLE_SEED repeats a run; WATCHROUTE_SOAK_S sets how long it writes.
"""

import asyncio
import os
import random
import secrets
import sys
import time
from pathlib import Path
from typing import Final

import pytest

from infra.cluster.deadline import DeadlineMissed, until
from tests.support.broker import Broker
from tests.support.client import Writer
from tests.support.fleet import Fleet
from tests.support.oracle import Report, judge
from tests.support.oracle_log import TruthLog
from tests.support.oracle_reading import cursor_reader, read_topic, truth_of
from tests.support.oracle_run import COLLECTION, Wanderer, Writers, wanderers

RUN_S: Final = 18.0
WRITERS: Final = 3
PAUSE_S: Final = 0.03
SETTLE_S: Final = 15.0
MIN_EVENTS_PER_S: Final = 100


def seed() -> int:
    return int(os.environ.get("WATCHROUTE_ORACLE_SEED", secrets.randbelow(1_000_000)))


async def kill_one(fleet: Fleet, after_s: float) -> None:
    """SIGKILL a push server in the middle of everything, and start it again on its port."""
    await asyncio.sleep(after_s)
    await fleet.servers[1].kill()
    await fleet.servers[1].start()


async def settled(watchers: list[Wanderer], truth: TruthLog) -> bool:
    """Whether each watcher, by its own account, knows the newest state; False at the deadline."""

    async def converged() -> bool:
        report = judge([watcher.history for watcher in watchers], truth, cursor_reader(COLLECTION), settled=True)
        return not any(violation.rule == "divergence" for violation in report.violations)

    try:
        return await until(converged, "every watcher has converged", within_s=SETTLE_S, every_s=0.5)
    except DeadlineMissed:
        return False


async def play(fleet: Fleet, rng: random.Random, run_s: float) -> tuple[list[Wanderer], TruthLog, int]:
    """Write, watch, cut, kill; then let everything settle."""
    watchers = wanderers(fleet, rng)
    async with Writer(fleet.producer.url) as writer, asyncio.TaskGroup() as group:
        writers = Writers(writer, rng)
        for watcher in watchers:
            group.create_task(watcher.run())
        end = time.monotonic() + run_s
        killing = asyncio.create_task(kill_one(fleet, run_s / 2))
        await asyncio.gather(*(writers.run(end, PAUSE_S) for _ in range(WRITERS)))
        await killing
        for watcher in watchers:
            watcher.staying.set()
    truth = TruthLog(truth_of(COLLECTION, await read_topic(fleet.broker.bootstrap, fleet.topic(COLLECTION))))
    await settled(watchers, truth)
    await asyncio.gather(*(watcher.close() for watcher in watchers))
    return watchers, truth, writers.written


def explain(report: Report, number: int, watchers: list[Wanderer]) -> str:
    """What a failed run says: the seed, the first violations, and how those watchers ended."""
    lines = [f"{violation.rule} by {violation.watcher}: {violation.detail}" for violation in report.violations]
    broken = {violation.watcher for violation in report.violations}
    ends = [f"{each.name} ended with {each.history.connections[-1].entries[-3:]}" for each in watchers]
    shown = [end for end in ends if end.split()[0] in broken]
    return "\n".join([f"seed {number}: {len(lines)} violations", *lines[:20], *shown[:5]])


async def judged_run(broker: Broker, folder: Path, run_s: float) -> str:
    """One run; the summary."""
    number = seed()
    collections = {COLLECTION: {"modes": ["state", "log"], "partitions": 4}}
    async with Fleet(broker, folder, collections) as fleet:
        watchers, truth, written = await play(fleet, random.Random(number), run_s)
    report = judge([watcher.history for watcher in watchers], truth, cursor_reader(COLLECTION), settled=True)
    assert not report.violations, explain(report, number, watchers)
    failures = [f"{watcher.name}: {failure}" for watcher in watchers for failure in watcher.failures]
    assert not failures, (number, failures[:20])
    assert len(truth) >= written, "every acknowledged write is in the log"
    assert report.events >= run_s * MIN_EVENTS_PER_S
    return (
        f"oracle: seed {number}, {report.events} events over {report.connections} connections of {len(watchers)} "
        f"watchers checked against {len(truth)} records, no violation"
    )


@pytest.mark.soak
async def test_every_history_is_what_kafka_holds(
    broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = await judged_run(broker, tmp_path, float(os.environ.get("WATCHROUTE_SOAK_S", RUN_S)))
    with capsys.disabled():
        sys.stdout.write(f"\n{summary}\n")
