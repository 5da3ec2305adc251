"""A producer that dies with writes in its hands."""

import asyncio

from infra.cluster.deadline import until
from tests.chaos.faults.fault import Fault
from tests.chaos.stage import metric
from tests.chaos.trial import Trial
from tests.chaos.writers import WRITERS


class ProducerKilled(Fault):
    """SIGKILL after it has sent writes to a broker that doesn't answer yet, which then does."""

    name = "producer SIGKILL"

    async def strike(self, trial: Trial) -> str:
        node, producers = await trial.leader(), trial.stage.cluster.producers
        node.freeze()
        try:
            await until(lambda: _all_wait(trial), "every writer waits for the broker", every_s=0.01)
            waiting = {each.name: await metric(each, "watchroute_producer_in_flight_writes") for each in producers}
            producer = max(producers, key=lambda each: waiting[each.name])
            assert waiting[producer.name] > 0, waiting
            before, killed_s = producer.process.pid, asyncio.get_running_loop().time()
            await producer.kill()
        finally:
            node.thaw()
        await trial.flowing(20)
        lost = [w for w in trial.writers.writes if w.sent_s < killed_s < w.answered_s and w.outcome == "unknown"]
        assert lost, "no write lost its answer"
        await producer.start()
        return f"{producer.name}, pid {before} → {producer.process.pid}; {len(lost)} writes lost their answer"


async def _all_wait(trial: Trial) -> bool:
    return trial.writers.under_way == WRITERS
