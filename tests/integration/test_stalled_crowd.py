"""As many stalled watchers as healthy ones at a busy collection: they cost bounded memory, and nobody a value.

In small by default; with WATCHROUTE_SOAK_S 500 beside 500 for a minute, and then the delays are compared too.
"""

import os
import sys
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from load.bench.cores import raise_file_limit
from load.bench.ground import Ground
from load.bench.publisher import Publisher, publishing
from tests.support.broker import Broker
from tests.support.stalled_crowd import Crowds, Health, Scale, Stalled, Versions, crowds, in_turn

SOAK: Final = "WATCHROUTE_SOAK_S" in os.environ
SCALE: Final = (
    Scale(healthy=125, stalled=125, resources=500, per_s=200, seconds=60, mailbox_bytes=512 * 1024)
    if SOAK
    else Scale(healthy=5, stalled=5, resources=20, per_s=500, seconds=4, mailbox_bytes=128 * 1024)
)
SLACK_BYTES: Final = 24 * 1024 * 1024
"""What the allocator doesn't give back, and the buffers of connections."""
RATIO: Final = 3
NOISE_MS: Final = 20
MB: Final = 1024 * 1024


def everything() -> Versions:
    """Each value of each resource, once."""
    ids = SCALE.plan.ids
    return Counter((name, number) for name in ids for number in range(1, SCALE.rounds + 1))


def check_healthy(health: Health) -> None:
    """In log mode all have everything in order; in state mode what is missing was elided, and the order holds."""
    assert health.disordered == 0, health
    if health.mode == "log":
        assert health.fewest == health.most == SCALE.plan.changes, health
        assert health.missing == 0, health
    assert health.fewest >= SCALE.resources, health


async def check_converged(stalled: Stalled, truth: Versions) -> None:
    """What was told and what was counted as elided is all there was, and the newest of each was told."""
    told, elided = await stalled.converge(SCALE.plan.changes)
    assert told <= truth, "each value once at most"
    assert told.total() + elided == SCALE.plan.changes
    assert elided > 0
    assert {(name, SCALE.rounds) for name in SCALE.plan.ids} <= told.keys()


async def check_resumed(stalled: Stalled, truth: Versions) -> None:
    """Nothing is missing, although it was ended in the middle; each connection tells each value once."""
    before, after = await stalled.resume(SCALE.plan.changes)
    assert before <= truth
    assert after <= truth
    assert before.keys() | after.keys() == truth.keys()
    assert 0 < before.total() < SCALE.plan.changes


async def check_stalled(both: Crowds) -> None:
    """Each of them, by its mode."""
    truth = everything()
    check = {"state": check_converged, "log": check_resumed}
    await in_turn([check[stalled.mode](stalled, truth) for stalled in both.stalled])


async def alone(ground: Ground, publisher: Publisher) -> tuple[list[Health], int]:
    """The same without stalled ones, to compare with."""
    async with crowds(ground, publisher, SCALE, stalled=False) as both:
        grown = await both.publish()
        return await both.health(), grown


@pytest.mark.soak
async def test_stalled_watchers_cost_bounded_memory_and_nobody_a_value(
    broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raise_file_limit()
    grounds = [Ground(broker, tmp_path, ["feed"], None) for _ in range(2)]
    for ground in grounds:
        await ground.make()
    async with publishing(broker.bootstrap) as publisher:
        before, grown_before = await alone(grounds[0], publisher)
        async with crowds(grounds[1], publisher, SCALE, stalled=True) as both:
            grown = await both.publish()
            beside = await both.health()
            totals = await both.server.totals()
            await check_stalled(both)
    for health in (*before, *beside):
        check_healthy(health)
    assert totals["closed_total"] == 2 * SCALE.stalled, "those in log mode, and nobody else"
    assert grown - grown_before <= SCALE.may_hold_bytes + SLACK_BYTES
    p99_before, p99 = (max(health.p99_ms for health in each) for each in (before, beside))
    if SOAK:
        assert p99 <= RATIO * p99_before + NOISE_MS
    with capsys.disabled():
        sys.stdout.write(
            f"\nstalled: {4 * SCALE.stalled} beside {4 * SCALE.healthy} healthy, {SCALE.plan.changes} changes; "
            f"memory grew by {grown / MB:.1f} MB (without them {grown_before / MB:.1f} MB, "
            f"allowed {SCALE.may_hold_bytes / MB:.0f} MB more); "
            f"p99 {p99:.1f} ms (without them {p99_before:.1f} ms, x{p99 / p99_before:.2f})\n"
        )
