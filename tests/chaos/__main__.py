"""`make chaos`: every fault, one after another on one cluster, a line for each.

    python -m tests.chaos [WORD ...]

plays those faults whose name has one of the words. WATCHROUTE_CHAOS_SEED repeats a run as far as chance goes.
"""

import asyncio
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from infra.cluster.deadline import DeadlineMissed
from infra.cluster.front_door import NoFrontDoor
from infra.cluster.kafka_jars import KafkaJarsMissing, find_jars
from infra.cluster.process import ProcessFailed
from tests.chaos.catalogue import FAULTS
from tests.chaos.faults.client_network import ClientsCut
from tests.chaos.faults.fault import Fault
from tests.chaos.play import HEAD, Outcome, play, seed, trusting
from tests.chaos.stage import Stage
from tests.support.network import NoNetwork


def main(words: Sequence[str]) -> int:
    """Play them; the exit status is 1 when a rule was broken, or a fault could not be shown to have happened."""
    chosen = [fault for fault in FAULTS if not words or any(word in fault.name for word in words)]
    folder = Path(tempfile.mkdtemp(prefix="watchroute-chaos-"))
    began_s = time.monotonic()
    try:
        with trusting(folder / "certs"):
            outcomes = asyncio.run(_play_all(folder, chosen))
    except asyncio.CancelledError:
        return 1
    except (KafkaJarsMissing, NoFrontDoor, NoNetwork) as missing:
        _tell(f"chaos: {missing}")
        return 1
    _summary(outcomes, time.monotonic() - began_s)
    sound = len(outcomes) == len(chosen) and not any(outcome.verdict.violations for outcome in outcomes)
    if sound:
        shutil.rmtree(folder)
    else:
        _tell(f"The logs are in {folder}.")
    return 0 if sound else 1


async def _play_all(folder: Path, chosen: Sequence[type[Fault]]) -> list[Outcome]:
    number, outcomes, task = seed(), list[Outcome](), asyncio.current_task()
    assert task is not None
    # Ended from outside, it leaves nothing behind: no network, either.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    collections = [f"chaos-{index}" for index in range(1, len(chosen) + 1)]
    async with Stage(folder, find_jars(), collections, network=ClientsCut in chosen) as stage:
        _tell(HEAD)
        for fault in chosen:
            outcome = await _play(stage, fault(), number)
            outcomes += [outcome] if outcome is not None else []
    return outcomes


async def _play(stage: Stage, fault: Fault, number: int) -> Outcome | None:
    try:
        outcome = await play(stage, fault, number)
    except (AssertionError, DeadlineMissed, ProcessFailed):
        _tell(f"{fault.name:32} {number:>8} was not played to its end:\n{traceback.format_exc()}")
        return None
    _tell(outcome.row())
    if outcome.verdict.violations:
        _tell(outcome.explanation())
    return outcome


def _summary(outcomes: Sequence[Outcome], seconds: float) -> None:
    _tell("\nHow each was seen to happen:")
    for outcome in outcomes:
        _tell(f"  {outcome.fault.name}: {outcome.proof}")
    found = [outcome.verdict for outcome in outcomes]
    rules = Counter(violation.rule for verdict in found for violation in verdict.violations)
    broken = ", ".join(f"{count} of {rule}" for rule, count in rules.items()) or "none"
    _tell(
        f"\n{len(outcomes)} faults in {seconds:.0f} s: {sum(verdict.events for verdict in found)} events and "
        f"{sum(verdict.writes for verdict in found)} writes checked, {sum(verdict.reconnects for verdict in found)} "
        f"reconnects, longest gap {max((verdict.gap.seconds for verdict in found), default=0.0):.1f} s, "
        f"violations: {broken}"
    )


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
