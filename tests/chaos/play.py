"""Playing faults one after another on one cluster, and the table of what came of it."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from tests.chaos.faults.fault import Fault
from tests.chaos.stage import Stage
from tests.chaos.trial import WRITES_AFTER, WRITES_BEFORE, Trial
from tests.chaos.verdict import Verdict, verdict

SEED: Final = "WATCHROUTE_CHAOS_SEED"
HEAD: Final = f"{'fault':32} {'seed':>8} {'events':>8} {'reconnects':>10} {'longest gap':>12} {'violations':>10}"
_SHOWN: Final = 20


@cache
def seed() -> int:
    """What a run is seeded with: WATCHROUTE_CHAOS_SEED, else any number.

    It is taken out of the environment: the commands that are started refuse settings that they don't know.
    """
    return int(os.environ.pop(SEED, secrets.randbelow(1_000_000)))


@dataclass(frozen=True)
class Outcome:
    """What came of a fault."""

    fault: Fault
    seed: int
    proof: str
    verdict: Verdict

    def row(self) -> str:
        """A line of the table whose head is `HEAD`."""
        found = self.verdict
        return (
            f"{self.fault.name:32} {self.seed:>8} {found.events:>8} {found.reconnects:>10} "
            f"{found.gap.seconds:>10.1f} s {len(found.violations):>10}"
        )

    def explanation(self) -> str:
        """What a failed run says: the seed, and the first violations."""
        lines = [f"{each.rule} by {each.watcher}: {each.detail}" for each in self.verdict.violations]
        again = f"{SEED}={self.seed} repeats it"
        return "\n".join([f"{self.fault.name}, {again}: {len(lines)} violations", *lines[:_SHOWN]])


async def play(stage: Stage, fault: Fault, number: int) -> Outcome:
    """Play one fault under load, and have the cluster well again.

    Raises AssertionError when it can't be shown that the fault happened, and DeadlineMissed when the cluster doesn't
    come back.
    """
    trial = Trial(stage, number, restless=fault.restless)
    try:
        await fault.prepare(trial)
        async with trial:
            await trial.flowing(WRITES_BEFORE)
            proof = await fault.strike(trial)
            await trial.flowing(WRITES_AFTER)
            evidence = await trial.settle()
    finally:
        await fault.restore(trial)
        await stage.heal()
    return Outcome(fault, number, proof, verdict(evidence, new_epochs=fault.new_epochs))


@contextmanager
def trusting(certificates: Path) -> Iterator[None]:
    """Have this process trust the door's certificate meanwhile."""
    before = os.environ.get("SSL_CERT_FILE")
    os.environ["SSL_CERT_FILE"] = str(certificates / "ca.pem")
    try:
        yield
    finally:
        os.environ.pop("SSL_CERT_FILE")
        if before is not None:
            os.environ["SSL_CERT_FILE"] = before
