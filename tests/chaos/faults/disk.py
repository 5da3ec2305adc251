"""A broker whose disk is full."""

import resource
from typing import Final

from infra.cluster.deadline import until
from tests.chaos.faults.brokers import out_of_sync
from tests.chaos.faults.fault import Fault
from tests.chaos.trial import Trial
from tests.chaos.writers import Once

ROOM_BYTES: Final = 256 * 1024
FILL_BYTES: Final = 64 * 1024
REFUSAL: Final = "File too large"
"""What the operating system says (EFBIG), and Kafka's log with it."""


class DiskFull(Fault):
    """The leader of the hot partition may not make a file larger than its largest one now; then it may again."""

    name = "disk full"

    async def strike(self, trial: Trial) -> str:
        node, hot = await trial.leader(), trial.hot()
        # What it prints goes to a file, too: there has to be room left for the reason.
        limit = node.log.stat().st_size + ROOM_BYTES
        resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (limit, limit))
        resource_name = trial.resource_of(hot)
        async with Once(trial.stage.cluster.url, "127.0.2.100") as http:

            async def ended() -> bool:
                if node.running:
                    await trial.writers.write(http, resource_name, FILL_BYTES)
                return not node.running

            await until(ended, f"{node.name} has ended", within_s=45)
        assert REFUSAL in node.log.read_text(errors="replace"), node.log_tail()
        shrunk = await out_of_sync(trial, node)
        await trial.flowing(20)
        await node.start()
        return f"{node.name} was refused with {REFUSAL!r} beyond {limit} bytes; {shrunk} partitions went on without it"
